#include <map>

#include "commands_internal.h"
#include "grantfs/util/text.h"
#include "owner_internal.h"
#include "secret_diff_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

/// One version of a secret: "shop/prod/db-password@2", "...@previous", or the current one.
struct Chosen {
  SecretName name;
  VersionChoice choice;
  bool said = false;  ///< which version
  std::string Text(std::uint32_t version) const {
    return name.Full() + " version " + std::to_string(version);
  }
};

Result<Chosen> ParseChosen(const std::string& text) {
  const std::size_t at = text.rfind('@');
  Chosen chosen;
  chosen.name = GRANTFS_TRY(ParseSecretName(text.substr(0, at)));
  if (at == std::string::npos) return chosen;
  const std::string which = text.substr(at + 1);
  chosen.said = true;
  if (!which.empty() && which.find_first_not_of("0123456789") == std::string::npos) {
    const Arguments number({{"version", {which}}}, {});
    chosen.choice.version = static_cast<std::uint32_t>(GRANTFS_TRY(number.Number("version", kMaxVersion, 0)));
    if (chosen.choice.version == 0) return Error{Code::kInvalid, "versions are counted from 1", 0, text};
  } else if (CheckLabel(which)) {
    chosen.choice.label = which;
  } else {
    return Error{Code::kInvalid, "behind the @ stands a version's number or a label", 0, text};
  }
  return chosen;
}

/// Both sides, where the second may not be given: then it is what is current against what it was before.
Result<std::pair<Chosen, Chosen>> ChosenPair(const Arguments& arguments) {
  Chosen first = GRANTFS_TRY(ParseChosen(arguments.At(0)));
  if (arguments.positional().size() > 1)
    return std::pair(std::move(first), GRANTFS_TRY(ParseChosen(arguments.At(1))));
  Chosen second = first;
  second.choice = {};
  if (!first.said) first.choice.label = kPreviousLabel;
  return std::pair(std::move(first), std::move(second));
}

Status CheckShow(const Context& context) {
  const Arguments& arguments = context.arguments;
  if (!arguments.Flag("show")) {
    if (!arguments.Flag("to-anything")) return {};
    return Error{Code::kInvalid, "is for values that are shown: give --show too", 0, "--to-anything"};
  }
  if (context.json())
    return Error{Code::kInvalid, "shows values to people: leave one of both out", 0, "--show and --json"};
  if (context.terminal.OutIsTerminal() || arguments.Flag("to-anything")) return {};
  return Error{Code::kInvalid,
               "standard output is no terminal, and values would be written there; say --to-anything too if "
               "they are meant to be",
               0, "--show"};
}

std::string LinesText(std::size_t at, std::size_t lines) {
  if (lines == 1) return "line " + std::to_string(at);
  return "lines " + std::to_string(at) + " to " + std::to_string(at + lines - 1);
}

std::string PieceText(const DiffPiece& piece) {
  const auto alone = [](std::size_t at, std::size_t lines, const char* side, const char* what) {
    return LinesText(at, lines) + side + (lines == 1 ? " is " : " are ") + what;
  };
  if (piece.second_lines == 0) return alone(piece.first_at, piece.first_lines, " of the first", "gone");
  if (piece.first_lines == 0) return alone(piece.second_at, piece.second_lines, " of the second", "new");
  return LinesText(piece.first_at, piece.first_lines) + " of the first became " +
         LinesText(piece.second_at, piece.second_lines) + " of the second";
}

Json PiecesJson(const std::vector<DiffPiece>& pieces) {
  Json list = Json::Array();
  for (const DiffPiece& piece : pieces)
    list.Append(Json::Object({{"first_at", std::uint64_t{piece.first_at}},
                              {"first_lines", std::uint64_t{piece.first_lines}},
                              {"second_at", std::uint64_t{piece.second_at}},
                              {"second_lines", std::uint64_t{piece.second_lines}}}));
  return list;
}

Status DiffVersions(Context& context, OwnerSession& session) {
  const auto [first, second] = GRANTFS_TRY(ChosenPair(context.arguments));
  const GotSecret a = GRANTFS_TRY(session.GetSecret(first.name, first.choice));
  const GotSecret b = GRANTFS_TRY(session.GetSecret(second.name, second.choice));
  const auto pieces = DiffLines(a.value, b.value);
  Terminal& terminal = context.terminal;
  if (context.json()) {
    const auto side = [](const Chosen& chosen, const GotSecret& got) {
      return Json::Object({{"name", chosen.name.Full()},
                           {"version", got.version},
                           {"size", std::uint64_t{got.value.size()}}});
    };
    terminal.OutJson(Json::Object({{"first", side(first, a)},
                                   {"second", side(second, b)},
                                   {"same", pieces.empty()},
                                   {"pieces", PiecesJson(pieces)}}));
    return {};
  }
  terminal.OutLine(first.Text(a.version) + " and " + second.Text(b.version) +
                   (pieces.empty() ? " are the same" : " differ"));
  for (const DiffPiece& piece : pieces) terminal.OutLine("  " + PieceText(piece));
  if (context.arguments.Flag("show")) OutDiff(terminal, a.value, b.value, pieces);
  return {};
}

/// Two environments, by their secrets' paths.
struct Sides {
  std::vector<std::string> only_first, only_second, different;
  std::size_t same = 0;
};

Result<std::map<std::string, SecretInfo>> Listed(OwnerSession& session, const Area& area) {
  std::map<std::string, SecretInfo> all;
  for (SecretInfo& info : GRANTFS_TRY(session.ListSecrets(area.environment, area.prefix))) {
    if (!info.problem.empty())
      return Error{Code::kIntegrity, "its list does not verify; grantfs secret list says why", 0,
                   info.name.Full()};
    if (info.deleted || info.version == 0) continue;
    const std::string path = info.name.path.substr(area.prefix.size());
    all.emplace(path, std::move(info));
  }
  return all;
}

/// Values of two sizes differ, whatever is in them, and are not asked for.
Result<bool> IsSame(Context& context, OwnerSession& session, const SecretInfo& a, const SecretInfo& b) {
  const bool show = context.arguments.Flag("show");
  if (!show && (a.type != b.type || a.size != b.size)) return false;
  const GotSecret first = GRANTFS_TRY(session.GetSecret(a.name, {}));
  const GotSecret second = GRANTFS_TRY(session.GetSecret(b.name, {}));
  const bool same = first.value.Equals(second.value);
  if (same || !show) return same && a.type == b.type;
  context.terminal.OutLine(a.name.Full() + " and " + b.name.Full() + " differ:");
  OutDiff(context.terminal, first.value, second.value, DiffLines(first.value, second.value));
  return false;
}

Result<Sides> Compare(Context& context, OwnerSession& session, const Area& one, const Area& other) {
  const auto first = GRANTFS_TRY(Listed(session, one)), second = GRANTFS_TRY(Listed(session, other));
  Sides sides;
  for (const auto& [path, info] : first) {
    const auto at = second.find(path);
    if (at == second.end())
      sides.only_first.push_back(info.name.Full());
    else if (GRANTFS_TRY(IsSame(context, session, info, at->second)))
      ++sides.same;
    else
      sides.different.push_back(path);
  }
  for (const auto& [path, info] : second)
    if (!first.contains(path)) sides.only_second.push_back(info.name.Full());
  return sides;
}

Status DiffAreas(Context& context, OwnerSession& session) {
  const Area one = GRANTFS_TRY(ParseArea(context.arguments.At(0)));
  const Area other = GRANTFS_TRY(ParseArea(context.arguments.At(1)));
  const Sides sides = GRANTFS_TRY(Compare(context, session, one, other));
  const auto list = [](const std::vector<std::string>& names) {
    return Json::Array({names.begin(), names.end()});
  };
  Terminal& terminal = context.terminal;
  if (context.json()) {
    terminal.OutJson(Json::Object({{"only_first", list(sides.only_first)},
                                   {"only_second", list(sides.only_second)},
                                   {"different", list(sides.different)},
                                   {"same", std::uint64_t{sides.same}}}));
    return {};
  }
  for (const std::string& name : sides.only_first) terminal.OutLine("only " + name);
  for (const std::string& name : sides.only_second) terminal.OutLine("only " + name);
  for (const std::string& path : sides.different) terminal.OutLine("differs: " + path);
  terminal.OutLine(Count(sides.same, "secret") + " the same");
  return {};
}

Status RunSecretDiffCommand(Context& context) {
  GRANTFS_CHECK(CheckShow(context));
  const bool two = context.arguments.positional().size() == 2;
  const bool areas = two && ParseArea(context.arguments.At(0)) && ParseArea(context.arguments.At(1));
  if (!areas) GRANTFS_TRY(ChosenPair(context.arguments));  // before anything is asked
  const auto session = GRANTFS_TRY(OpenOwner(context));
  return areas ? DiffAreas(context, *session) : DiffVersions(context, *session);
}

}  // namespace

const Command kSecretDiffCommand = {
    .name = "secret diff",
    .arguments = "FIRST [SECOND]",
    .min_arguments = 1,
    .max_arguments = 2,
    .summary = "compare versions, or environments",
    .about =
        R"(Compares two versions of secrets (NAME@2, NAME@previous, or NAME for the current one; alone it is compared with
the one before), and says which lines differ; or the current values of two environments (or PROJECT/ENVIRONMENT/PREFIX/),
and says which names differ. The values are compared on this computer and not shown; each that is read is
recorded, as by secret get, and of two that differ in size already none is read.)",
    .options = {{"show", "", "show the lines that differ, on a terminal"},
                {"to-anything", "", "with --show: also where standard output is no terminal"}},
    .examples = {{"grantfs secret diff shop/prod/app.ini@1 shop/prod/app.ini@3",
                  R"(shop/prod/app.ini version 1 and shop/prod/app.ini version 3 differ
  line 4 of the first became lines 4 to 5 of the second)"},
                 {"grantfs secret diff shop/prod shop/staging",
                  R"(only shop/prod/tls/server.key
differs: db-password
3 secrets the same)"}},
    .next = "grantfs secret history shop/prod/app.ini",
    .failure = "the comparison was not made",
    .run = RunSecretDiffCommand,
};

}  // namespace grantfs
