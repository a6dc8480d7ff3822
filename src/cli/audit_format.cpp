#include "audit_format_internal.h"
#include "grantfs/log/event_format.h"
#include "listing_internal.h"

namespace grantfs {
namespace {

constexpr char kDataId[] = "grantfs@32473";

/// RFC 5424 section 6.2.1 / CEF.
struct Weight {
  int syslog;
  int cef;
};
Weight WeightOf(const std::string& severity) {
  if (severity == "critical") return {2, 10};
  if (severity == "warning") return {4, 7};
  return severity == "notice" ? Weight{5, 5} : Weight{6, 3};
}

std::string NumberText(std::uint64_t number) { return number == 0 ? std::string() : std::to_string(number); }

/// A record's time is that of its being told; of a read under a lease that of the read matters.
std::int64_t TimeMs(const AuditLine& line) {
  return line.lease && line.read_ms != 0 ? line.read_ms : line.time * 1000;
}

std::string Sentence(const AuditLine& line) {
  std::string text = line.actor.empty() ? line.type : line.actor + " " + line.type;
  if (!line.object.empty()) text += " " + line.object;
  if (line.version != 0) text += " (version " + std::to_string(line.version) + ")";
  if (!line.outcome.empty()) text += " " + line.outcome;
  return line.reason.empty() ? text : text + ": " + line.reason;
}

SyslogEvent EventOf(const AuditLine& line, const std::string& host) {
  SyslogEvent event;
  event.severity = WeightOf(line.severity).syslog;
  event.time_ms = TimeMs(line);
  event.host = host;
  event.id = line.type;
  return event;
}

std::string Syslog(const AuditLine& line, const std::string& host) {
  SyslogEvent event = EventOf(line, host);
  event.data_id = kDataId;
  event.text = Sentence(line);
  event.data = {{"record", std::to_string(line.sequence)}};
  const auto add = [&event](const char* name, const std::string& value) {
    if (!value.empty()) event.data.emplace_back(name, value);
  };
  add("actor", line.actor);
  add("actorId", line.actor_id);
  add("object", line.object);
  add("about", line.about);
  add("version", NumberText(line.version));
  add("outcome", line.outcome);
  add("reason", line.reason);
  add("source", line.source);
  add("caller", line.caller);
  if (line.lease) add("lease", "true");
  if (line.first != 0) {
    add("count", std::to_string(line.count));
    add("first", std::to_string(line.first));
    add("last", std::to_string(line.last));
  }
  return FormatSyslog(event);
}

std::string Cef(const AuditLine& line) {
  CefEvent event{GRANTFS_VERSION,
                 line.type,
                 line.outcome.empty() ? line.type : line.type + " " + line.outcome,
                 WeightOf(line.severity).cef,
                 {}};
  event.fields = {{"rt", std::to_string(TimeMs(line))},
                  {"externalId", std::to_string(line.sequence)},
                  {"act", line.type},
                  {"suser", line.actor},
                  {"suid", line.actor_id},
                  {"fname", line.object},
                  {"outcome", line.outcome},
                  {"reason", line.reason},
                  {"src", line.source}};
  const auto labelled = [&event](const char* key, const char* label, const std::string& value) {
    if (value.empty()) return;
    event.fields.emplace_back(key, value);
    event.fields.emplace_back(std::string(key) + "Label", label);
  };
  labelled("cn1", "version", NumberText(line.version));
  labelled("cs1", "caller", line.caller);
  labelled("cs2", "about", line.about);
  if (line.first != 0) {
    event.fields.emplace_back("cnt", std::to_string(line.count));
    event.fields.emplace_back("start", std::to_string(line.first * 1000));
    event.fields.emplace_back("end", std::to_string(line.last * 1000));
  }
  return FormatCef(event);
}

}  // namespace

Result<ExportFormat> ParseExportFormat(const std::string& text) {
  if (text == "jsonl") return ExportFormat::kJsonLines;
  if (text == "cef") return ExportFormat::kCef;
  if (text == "syslog") return ExportFormat::kSyslog;
  return Error{Code::kInvalid, "is jsonl, cef or syslog", 0, "--format"};
}

std::string FormatRecord(const AuditLine& line, ExportFormat format, const std::string& host) {
  switch (format) {
    case ExportFormat::kJsonLines:
      return ToJson(line).Dump();
    case ExportFormat::kCef:
      return Cef(line);
    case ExportFormat::kSyslog:
      return Syslog(line, host);
  }
  std::abort();
}

std::string FormatMessage(const AuditLine& line, ExportFormat format, const std::string& host,
                          bool datagrams) {
  std::string text = FormatRecord(line, format, host);
  if (format == ExportFormat::kJsonLines) return datagrams ? text : text + "\n";
  if (format == ExportFormat::kCef) {
    SyslogEvent event = EventOf(line, host);
    event.text = std::move(text);
    text = FormatSyslog(event);
  }
  return datagrams ? text : FrameByCount(text);
}

}  // namespace grantfs
