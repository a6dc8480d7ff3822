#include "grantfs/client/home.h"
#include "grantfs/client/join.h"
#include "owner_internal.h"
#include "rotation_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::seconds kMachineWait{10};

const char* DeliveryName(Delivery::State state) {
  switch (state) {
    case Delivery::State::kAcknowledged:
      return "acknowledged";
    case Delivery::State::kPending:
      return "pending";
    case Delivery::State::kOffline:
      return "offline";
    case Delivery::State::kUnknown:
      return "unknown";
  }
  std::abort();
}

std::string VersionsText(const ReadReport& report) {
  std::vector<std::string> versions;
  for (const std::uint32_t version : report.versions) versions.push_back(std::to_string(version));
  return (versions.size() == 1 ? "version " : "versions ") + JoinWords(versions);
}

}  // namespace

Result<std::unique_ptr<OwnerSession>> OpenOwner(Context& context) {
  return OwnerSession::Open(context.home, context.Client());
}

Result<std::unique_ptr<OwnerSession>> OpenOwnerToRevoke(Context& context) {
  ClientOptions options = context.Client();
  options.revokes = true;
  return OwnerSession::Open(context.home, std::move(options));
}

Result<std::unique_ptr<MachineSession>> OpenMachine(Context& context) {
  GRANTFS_CHECK(FinishEnrolment(context.home, context.Client()));
  MachineOptions options;
  options.watch = false;
  auto session = GRANTFS_TRY(MachineSession::Start(context.home, std::move(options)));
  GRANTFS_CHECK(session->WaitUntilCurrent(kMachineWait));
  return session;
}

Result<bool> HomeIsMachine(Context& context) {
  return GRANTFS_TRY(Home::Open(context.home)).profile().kind == IdentityKind::kMachine;
}

Status CheckHomeIsFree(const std::string& home) {
  const auto found = Home::OpenAny(home);
  if (!found || found->profile().state != HomeProfile::State::kReady) return {};
  return Error{Code::kConflict,
               "this home has an identity already; another one needs a home of its own: --home DIR", 0, home};
}

Result<Area> ParseArea(const std::string& text) {
  const std::size_t first = text.find('/');
  const std::size_t second = first == std::string::npos ? first : text.find('/', first + 1);
  Area area;
  area.environment = text.substr(0, second);
  if (second != std::string::npos) area.prefix = text.substr(second + 1);
  GRANTFS_CHECK(CheckEnvironmentName(area.environment));
  if (area.prefix.empty() || area.prefix.back() == '/') return area;
  return Error{Code::kInvalid, "names an environment, or the beginning of names that ends in \"/\"", 0, text};
}

Result<SecretName> ParseSecretOrEnvironment(const std::string& text) {
  if (CheckEnvironmentName(text)) return SecretName{text, ""};
  return ParseSecretName(text);
}

Json NamesJson(const std::vector<SecretName>& names) {
  Json list = Json::Array();
  for (const SecretName& name : names) list.Append(name.Full());
  return list;
}

void OutReads(Terminal& terminal, const std::string& machine, const std::vector<ReadReport>& reads,
              bool known) {
  if (!known) {
    terminal.Note("what " + machine +
                  " has read is not known: the audit log could not be asked; rotate what matters");
    return;
  }
  for (const ReadReport& report : reads) {
    std::string line = machine + " has read " + report.secret.Full() + " " + VersionsText(report) +
                       ", last " + FormatTime(report.last);
    if (report.holds_current) line += ": it knows the current value, so set a new one";
    terminal.Note(line);
  }
  if (reads.empty()) terminal.Note(machine + " has read nothing of what was revoked now");
  terminal.Note("what it read under grants that ended earlier: grantfs audit list --actor " + machine);
}

Json ReadsJson(const std::vector<ReadReport>& reads) {
  Json list = Json::Array();
  for (const ReadReport& report : reads) {
    Json versions = Json::Array();
    for (const std::uint32_t version : report.versions) versions.Append(version);
    list.Append(Json::Object({{"secret", report.secret.Full()},
                              {"versions", std::move(versions)},
                              {"last", report.last},
                              {"holds_current", report.holds_current}}));
  }
  return list;
}

std::string DeliverySentence(const std::string& machine, const Delivery& delivery) {
  switch (delivery.state) {
    case Delivery::State::kAcknowledged:
      return machine + " has followed: its mount knows of the change";
    case Delivery::State::kPending:
      return machine + " is online but has not confirmed the change yet; its mount will follow";
    case Delivery::State::kOffline: {
      const std::string seen = delivery.last_seen == 0 ? "was not seen since the vault started"
                                                       : "was last seen " + FormatTime(delivery.last_seen);
      return machine + " is offline (it " + seen + "); its mount follows once it is back";
    }
    case Delivery::State::kUnknown:
      return "the vault did not say whether " + machine + " has followed";
  }
  std::abort();
}

Json DeliveryJson(const Delivery& delivery) {
  return Json::Object({{"state", DeliveryName(delivery.state)}, {"last_seen", delivery.last_seen}});
}

std::string VariableOf(const std::string& path) {
  std::string name;
  for (const char c : path) {
    const bool lower = c >= 'a' && c <= 'z';
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += lower ? static_cast<char>(c - 'a' + 'A') : plain ? c : '_';
  }
  if (name[0] >= '0' && name[0] <= '9') name.insert(0, 1, '_');
  return name;
}

void OutSetTemplate(Context& context, const SetSecretResult& result, std::size_t parts) {
  const std::string full = result.name.Full();
  if (context.json()) {
    Json json = Json::Object({{"name", full},
                              {"number", result.number},
                              {"version", result.version},
                              {"created", result.created},
                              {"sealed_to", result.sealed_to},
                              {"rotate_after", result.rotate_after}});
    if (parts > 0) json.Set("parts", parts);
    context.terminal.OutJson(json);
    return;
  }
  context.terminal.OutLine((result.created ? "made " : "set ") + full + ": version " +
                           std::to_string(result.version) +
                           (parts > 0 ? ", of " + Count(parts, "secret") : "") + ", sealed to " +
                           Count(result.sealed_to, "machine") + AndRotation(result));
  if (result.sealed_to == 0) context.terminal.Note("next: grantfs grant MACHINE " + full + " --with-parts");
}

}  // namespace grantfs
