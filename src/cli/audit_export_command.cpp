#include "audit_filter_internal.h"
#include "audit_format_internal.h"
#include "audit_forward_internal.h"
#include "audit_purged_internal.h"
#include "commands_internal.h"
#include "export_file_internal.h"
#include "grantfs/net/address.h"
#include "grantfs/net/message_sink.h"
#include "grantfs/util/clock.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::milliseconds kSendDeadline{10'000};

bool IsSocketTarget(const std::string& text) {
  return text.starts_with("unix:") || text.find("://") != std::string::npos;
}

/// What was asked for, checked.
struct ExportOrder {
  ExportFormat format = ExportFormat::kJsonLines;
  std::string to;
  std::optional<SinkTarget> target;  ///< absent: a file
  AuditFilter filter;
  Json filter_options = Json::Object();
  std::string state_path;
  bool follow = false;
};

Result<ExportOrder> ReadOrder(const Arguments& arguments) {
  ExportOrder order;
  order.format = GRANTFS_TRY(ParseExportFormat(arguments.Text("format", "jsonl")));
  order.to = arguments.Text("to");
  if (order.to.empty())
    return Error{Code::kInvalid, "is missing: a file, unix:/PATH, tcp://HOST:PORT or tls://HOST:PORT", 0,
                 "--to"};
  if (IsSocketTarget(order.to)) order.target = GRANTFS_TRY(ParseSinkTarget(order.to));
  const bool tls = order.target && order.target->kind == SinkTarget::Kind::kTls;
  if (arguments.Has("ca") && !tls)
    return Error{Code::kInvalid, "is for --to tls://HOST:PORT alone", 0, "--ca"};
  if (tls) order.target->ca_file = arguments.Text("ca");
  order.filter = GRANTFS_TRY(ReadAuditFilter(arguments, SystemClock().WallSeconds()));
  for (const Option& option : WithAuditFilter({}))
    if (arguments.Has(option.name)) order.filter_options.Set(option.name, arguments.Text(option.name));
  order.state_path = arguments.Text("state");
  order.follow = arguments.Flag("follow");
  return order;
}

/// One export under way.
class Exporter {
 public:
  Exporter(ExportOrder order, const WhoAmIInfo& me) : order_(std::move(order)) {
    const auto address = ParseAddress(me.address);
    host_ = address ? address->host : me.address;
    state_.vault = me.vault;
    state_.target = order_.to;
    state_.format = order_.format == ExportFormat::kCef      ? "cef"
                    : order_.format == ExportFormat::kSyslog ? "syslog"
                                                             : "jsonl";
    state_.filter = order_.filter_options;
    state_.since_ms = order_.filter.since_ms;
    state_.until_ms = order_.filter.until_ms;
  }

  Status Open() {
    bool begun = false;
    if (!order_.state_path.empty()) {
      state_file_.emplace(GRANTFS_TRY(ExportStateFile::Open(order_.state_path)));
      if (auto before = GRANTFS_TRY(state_file_->Read())) {
        GRANTFS_CHECK(CheckSame(*before));
        state_ = std::move(*before);
        begun = true;
      }
    }
    if (order_.target) return begun ? Status() : SaveState();
    file_.emplace(GRANTFS_TRY(ExportFile::Open(order_.to, begun ? &state_ : nullptr)));
    return SaveState();
  }

  AuditWalk Walk() {
    AuditWalk walk;
    walk.filter = order_.filter;
    // As they were when it began: "2h" ago means another time by now.
    walk.filter.since_ms = state_.since_ms;
    walk.filter.until_ms = state_.until_ms;
    walk.from = state_.next;
    walk.follow = order_.follow;
    walk.take = [this](const AuditPage& page) { return Take(page); };
    return walk;
  }

  std::uint64_t exported() const { return exported_; }

 private:
  Status CheckSame(const ExportState& before) const {
    const bool same = before.vault == state_.vault && before.target == state_.target &&
                      before.format == state_.format && before.filter == state_.filter;
    if (same) return {};
    return Error{
        Code::kConflict,
        "is that of an export from another vault, to elsewhere, or of other records; name another file", 0,
        order_.state_path};
  }

  // First the records, then how far they go: what was lost between both is written again.
  Status Take(const AuditPage& page) {
    if (!page.lines.empty()) GRANTFS_CHECK(order_.target ? SendLines(page.lines) : WriteLines(page.lines));
    state_.next = page.next;
    exported_ += page.lines.size();
    return SaveState();
  }

  Status WriteLines(const std::vector<AuditLine>& lines) {
    std::string text;
    for (const AuditLine& line : lines) text += FormatRecord(line, order_.format, host_) + "\n";
    return file_->Append(text);
  }

  Status SendLines(const std::vector<AuditLine>& lines) {
    if (!sink_) sink_ = GRANTFS_TRY(OpenMessageSink(*order_.target, kSendDeadline));
    std::vector<std::string> messages;
    for (const AuditLine& line : lines)
      messages.push_back(FormatMessage(line, order_.format, host_, sink_->datagrams()));
    Status sent = sink_->Send(messages);
    if (!sent) sink_.reset();  // the next try is over a new connection
    return sent;
  }

  Status SaveState() {
    if (file_) file_->Note(&state_);
    return state_file_ ? state_file_->Write(state_) : Status();
  }

  const ExportOrder order_;
  std::string host_;
  ExportState state_;
  std::optional<ExportStateFile> state_file_;
  std::optional<ExportFile> file_;
  std::unique_ptr<MessageSink> sink_;
  std::uint64_t exported_ = 0;
};

Status RunAuditExportCommand(Context& context) {
  EndSignals stop;
  ExportOrder order = GRANTFS_TRY(ReadOrder(context.arguments));
  const std::string to = order.to;
  const auto session = GRANTFS_TRY(OpenOwner(context));
  Exporter exporter(std::move(order), session->WhoAmI());
  GRANTFS_CHECK(exporter.Open());
  const AuditWalk walk = exporter.Walk();
  const auto purges = PurgesWithin(GRANTFS_TRY(session->AuditPurges()), walk.filter, walk.from);
  if (!context.json()) NotePurges(context.terminal, purges, "what this export had not reached is missing");
  const Status done = WalkAudit(context.terminal, *session, stop, walk);
  if (context.json())
    context.terminal.OutJson(
        Json::Object({{"exported", exporter.exported()}, {"to", to}, {"purged", PurgesJson(purges)}}));
  else if (done)
    context.terminal.Note("exported " + Count(exporter.exported(), "record") + " to " + to);
  return done;
}

}  // namespace

const Command kAuditExportCommand = {
    .name = "audit export",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "write the audit log to a file or a syslog server",
    .about =
        R"(Writes the records that one may audit, oldest first: as JSON Lines, as CEF, or as RFC 5424 syslog, to a file, a
socket of this machine, or a server over TCP or TLS (framed by octet counting, RFC 6587 and 5425; JSON Lines by line
ends). With --state it goes on where it was. Into a file each record comes once, whatever happens: a crash's half line is
cut off; the file belongs to the export alone, and may be moved away for a new one. To a server each comes at least once,
the state following when the other end's system has acknowledged: after a crash some come again, with the same record
number.)",
    .options = WithAuditFilter(
        {{"format", "FORMAT", "jsonl (default), cef or syslog"},
         {"to", "TARGET", "a file, unix:/PATH, tcp://HOST:PORT or tls://HOST:PORT"},
         {"ca", "FILE",
          "who must have signed the TLS server's certificate, PEM (default: whom the system trusts)"},
         {"state", "FILE", "how far it has come; it goes on from there"},
         {"follow", "", "go on with records as they come, until it is stopped"}}),
    .examples = {{"grantfs audit export --to audit.jsonl --state audit.state",
                  "exported 41 records to audit.jsonl"},
                 {"grantfs audit export --format syslog --to tls://log.lan:6514 --ca ca.pem --state "
                  "log.state --follow",
                  "(runs until it is stopped)"},
                 {"grantfs audit export --format cef --to unix:/dev/log --severity warning",
                  "exported 3 records to unix:/dev/log"}},
    .next = "grantfs audit verify proves that the log itself is whole.",
    .failure = "the audit log was not exported",
    .run = RunAuditExportCommand,
};

}  // namespace grantfs
