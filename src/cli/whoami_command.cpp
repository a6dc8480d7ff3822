#include "commands_internal.h"
#include "grantfs/client/home.h"
#include "table_internal.h"

namespace grantfs {
namespace {

const char* StateSentence(HomeProfile::State state) {
  switch (state) {
    case HomeProfile::State::kClaiming:
      return "an init was interrupted; run grantfs init again";
    case HomeProfile::State::kEnrolling:
      return "waits for an owner's approval; run grantfs enroll again after it";
    case HomeProfile::State::kRequesting:
      return "waits for its vault; give the line that grantfs approve - prints to grantfs enroll --accept";
    case HomeProfile::State::kReady:
      return "ready";
  }
  std::abort();
}

Status RunWhoamiCommand(Context& context) {
  const Home home = GRANTFS_TRY(Home::OpenAny(context.home));
  const auto identity = GRANTFS_TRY(home.LoadIdentity()).identity();
  const HomeProfile& profile = home.profile();
  const bool has_vault = profile.state != HomeProfile::State::kRequesting;
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"name", profile.name},
                                           {"kind", IdentityKindName(profile.kind)},
                                           {"id", identity.Id().Hex()},
                                           {"fingerprint", identity.Fingerprint()},
                                           {"vault", has_vault ? profile.vault.Hex() : ""},
                                           {"address", has_vault ? profile.address.Text() : ""},
                                           {"home", home.directory()},
                                           {"state", HomeStateName(profile.state)},
                                           {"not_after", profile.not_after}}));
    return {};
  }
  Table table;
  table.Add({"name", profile.name});
  table.Add({"kind", IdentityKindName(profile.kind)});
  table.Add({"fingerprint", identity.Fingerprint()});
  table.Add({"identity", identity.Id().Hex()});
  if (has_vault) table.Add({"vault", profile.vault.Hex()});
  if (has_vault) table.Add({"address", profile.address.Text()});
  table.Add({"home", home.directory()});
  table.Add({"state", StateSentence(profile.state)});
  if (profile.not_after != 0) table.Add({"its life ends", FormatTime(profile.not_after)});
  context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kWhoamiCommand = {
    .name = "whoami",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "show whose identity this home holds",
    .about =
        R"(Shows the identity in the home and the vault that it belongs to. It asks nothing of the vault, so it
works while that is down.)",
    .options = {},
    .examples = {{"grantfs whoami",
                  R"(name         ada
kind         user
fingerprint  k3vq-7m2a-x4pd-ce6w-hn5t
...)"},
                 {"sudo grantfs whoami", R"(name         web-1
kind         machine
...)"}},
    .next = "grantfs status asks the vault how things stand.",
    .failure = "there is no identity to show",
    .run = RunWhoamiCommand,
};

}  // namespace grantfs
