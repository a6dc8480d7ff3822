#include "approve_requests_internal.h"
#include "fleet_input_internal.h"
#include "grantfs/trust/enrol_request.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMostRequests = 10'000;

struct ReadRequests {
  std::vector<EnrolmentRequest> requests;
  std::vector<std::size_t> lines;  ///< of each, from 1
  std::vector<std::string> refused;
  Code code = Code::kInvalid;  ///< of the first
};

std::string AtLine(std::size_t number, const std::string& what) {
  return "line " + std::to_string(number) + ": " + what;
}

void Refuse(ReadRequests& read, std::size_t line, Code code, const std::string& why) {
  if (read.refused.empty()) read.code = code;
  read.refused.push_back(AtLine(line, why));
}

ReadRequests Parse(const std::vector<std::string>& lines) {
  ReadRequests read;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto request = DecodeRequestLine(lines[i]);
    if (!request) {
      Refuse(read, i + 1, request.error().code, Describe(request.error()));
      continue;
    }
    read.requests.push_back(*std::move(request));
    read.lines.push_back(i + 1);
  }
  return read;
}

Status CheckNone(Terminal& terminal, const ReadRequests& read) {
  if (read.refused.empty()) return {};
  for (const std::string& why : read.refused) terminal.Note("refused: " + why);
  return Error{read.code, "nobody was let in: take these lines out, or mend them, and run it again", 0,
               Count(read.refused.size(), "request") + " refused"};
}

Status Ask(Context& context, const std::vector<PendingEnrolment>& pending) {
  Table table({"NAME", "FINGERPRINT"});
  for (const PendingEnrolment& one : pending) table.Add({one.name, one.fingerprint});
  context.terminal.Say(table.Text());
  if (context.arguments.Flag("yes")) return {};
  const bool agreed = GRANTFS_TRY(
      ConfirmOnTerminal(context.terminal, "Let " + Count(pending.size(), "machine") + " in, with these keys?",
                        "there is no terminal to ask on: compare the fingerprints, and give --yes"));
  return agreed ? Status() : Status(Error{Code::kCancelled, "nobody was let in"});
}

Json ToJson(const AdmittedMachine& machine) {
  return Json::Object({{"name", machine.info.name},
                       {"id", machine.info.id},
                       {"number", machine.info.number},
                       {"fingerprint", machine.info.fingerprint},
                       {"not_after", machine.info.not_after},
                       {"line", machine.line}});
}

void OutAdmitted(Context& context, const AdmitResult& result) {
  if (context.json()) {
    Json list = Json::Array();
    for (const AdmittedMachine& machine : result.machines) list.Append(ToJson(machine));
    return context.terminal.OutJson(Json::Object({{"approved", std::move(list)}}));
  }
  for (const AdmittedMachine& machine : result.machines)
    context.terminal.OutLine(machine.info.name + " " + machine.line);
  context.terminal.Note(
      Count(result.machines.size(), "machine") +
      " let in; next: give each its line, on standard input of grantfs enroll --accept there");
}

}  // namespace

Status ApproveRequests(Context& context) {
  if (context.arguments.Has("fingerprint"))
    return Error{Code::kInvalid, "is of one machine, and - reads many: compare the table", 0,
                 "--fingerprint"};
  const std::int64_t lives = GRANTFS_TRY(context.arguments.Seconds("lives", 0));
  const auto lines = GRANTFS_TRY(ReadPlainLines(context.terminal, "", kMostRequests * kMaxPlainLineBytes));
  if (lines.empty())
    return Error{Code::kInvalid, "there is no request on standard input; grantfs enroll --request makes one"};
  if (lines.size() > kMostRequests)
    return Error{Code::kInvalid, "10000 requests at most are approved at once", 0,
                 std::to_string(lines.size())};
  ReadRequests read = Parse(lines);
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto pending = GRANTFS_TRY(session->CheckRequests(read.requests));
  for (std::size_t i = 0; i < pending.size(); ++i) {
    if (!pending[i].problem.empty()) Refuse(read, read.lines[i], Code::kConflict, pending[i].problem);
  }
  GRANTFS_CHECK(CheckNone(context.terminal, read));
  GRANTFS_CHECK(Ask(context, pending));
  const auto result = GRANTFS_TRY(session->Admit(read.requests, lives, context.arguments.Text("reason")));
  OutAdmitted(context, result);
  if (!result.stopped) return {};
  context.terminal.Note("the first " + std::to_string(result.machines.size()) + " of " +
                        std::to_string(read.requests.size()) + " are let in; give the rest to it again");
  return *result.stopped;
}

}  // namespace grantfs
