#include "commands_internal.h"
#include "owner_internal.h"
#include "prompt_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

using How = MendOptions::How;

Json ToJson(const std::vector<LostStatement>& tail, How how) {
  Json list = Json::Array();
  for (const LostStatement& one : tail)
    list.Append(Json::Object({{"where", one.where}, {"what", one.what}, {"by", one.by}, {"time", one.time}}));
  return Json::Object(
      {{"uncounted", std::move(list)}, {"vouched", how == How::kVouch}, {"voided", how == How::kVoid}});
}

std::string TailText(const std::vector<LostStatement>& tail) {
  Table table({"IN", "WHAT", "BY", "WHEN"});
  for (const LostStatement& one : tail) table.Add({one.where, one.what, one.by, TimeCell(one.time)});
  return table.Text();
}

// The list as a refusal names it: "secret/17#4" is the fourth statement of secret/17.
Result<ListId> ParseList(const std::string& text) {
  auto list = ListId::Parse(text.substr(0, text.find('#')));
  if (list) return list;
  return Error{
      Code::kInvalid,
      "there is no such list; LIST is what the refusal names: vault, machines, environment/shop/prod, "
      "secret/17, group/shop/prod/3",
      0, text};
}

Result<How> HowGiven(const Arguments& arguments) {
  if (arguments.Flag("vouch") && arguments.Flag("void"))
    return Error{Code::kInvalid, "a list is mended by one of --vouch and --void", 0, "--void"};
  if (arguments.Flag("vouch") && arguments.Flag("yes"))
    return Error{
        Code::kInvalid,
        "somebody has to look at what he vouches for: a vault that lies could show another end by then", 0,
        "--yes"};
  if (arguments.Flag("vouch")) return How::kVouch;
  return arguments.Flag("void") ? How::kVoid : How::kLook;
}

// What is signed is what was shown, where the question is: the list may have gone on since somebody looked.
Status AskAboutTail(Context& context, How how, const std::vector<LostStatement>& tail) {
  if (context.arguments.Flag("yes")) {
    if (!context.json()) context.terminal.Out(TailText(tail));
    return {};
  }
  if (!context.terminal.InIsTerminal())
    return Error{Code::kInvalid,
                 how == How::kVouch
                     ? "there is no terminal to ask at, and nobody vouches unasked"
                     : "there is no terminal to ask at: look at it with grantfs mend, then give --yes",
                 0, how == How::kVouch ? "--vouch" : "--yes"};
  context.terminal.Say(TailText(tail));
  const std::string all = Count(tail.size(), "statement");
  const std::string question = how == How::kVouch ? "Vouch for " + all + ", as if you had signed it all?"
                                                  : "Take back " + all + ", for good?";
  if (Confirm(context.terminal, question)) return {};
  return Error{Code::kCancelled, "nothing was signed", 0, tail.front().where};
}

Status RunMendCommand(Context& context) {
  const ListId list = GRANTFS_TRY(ParseList(context.arguments.At(0)));
  MendOptions options;
  options.how = GRANTFS_TRY(HowGiven(context.arguments));
  options.reason = context.arguments.Text("reason");
  options.confirm = [&](const std::vector<LostStatement>& tail) {
    return AskAboutTail(context, options.how, tail);
  };
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto tail = GRANTFS_TRY(session->MendList(list, options));
  if (context.json()) {
    context.terminal.OutJson(ToJson(tail, options.how));
    return {};
  }
  const std::string all = Count(tail.size(), "statement");
  if (options.how == How::kLook) {
    context.terminal.Out(TailText(tail));
    context.terminal.Note(
        "from there on nothing counts; nothing is changed: --void takes it back, --vouch says that it is "
        "good");
  } else {
    context.terminal.OutLine((options.how == How::kVouch ? "vouched for " : "took back ") + all + " of " +
                             tail.front().where);
  }
  return {};
}

}  // namespace

const Command kMendCommand = {
    .name = "mend",
    .arguments = "LIST",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "take back what does not count in a list",
    .about =
        R"(Everybody refuses a list that ends in statements which do not count: whoever signed them has no right to
that, or has lost it and nobody vouched for them. An honest vault accepts none, so find out how they came there.
LIST is what the refusal names, such as secret/17#4, environment/shop/prod or vault. Without --void and --vouch this
shows them and changes nothing. For the owners of the environment, for vault and machines those of the vault. What is
taken back stays in the list, and never counts again.)",
    .options = {{"void", "", "take back all that does not count"},
                {"vouch", "", "say that all of it is good; not possible for what its signer never might do"},
                {"yes", "", "with --void: do not ask"},
                {"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs mend secret/17#4",
                  R"(IN                     WHAT       BY   WHEN
shop/prod/db-password  version 4  dan  2026-01-31T12:00:00Z
from there on nothing counts; nothing is changed: --void takes it back, --vouch says that it is good)"},
                 {"grantfs mend secret/17 --void --reason 'dan had left'",
                  R"(IN                     WHAT       BY   WHEN
shop/prod/db-password  version 4  dan  2026-01-31T12:00:00Z
Take back 1 statement, for good? [y/N] y
took back 1 statement of shop/prod/db-password)"},
                 {"grantfs mend environment/shop/prod --void --yes --json",
                  R"({"uncounted": [{"where": "shop/prod", ...}], "vouched": false, "voided": true})"}},
    .next =
        "grantfs doctor, and grantfs audit list --severity critical: how did the vault come to accept it?",
    .failure = "the list was not mended",
    .run = RunMendCommand,
};

}  // namespace grantfs
