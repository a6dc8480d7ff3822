#include "commands_internal.h"

namespace grantfs {

const std::vector<const Command*>& AllCommands() {
  static const std::vector<const Command*> commands = {
      &kServeCommand,
      &kBackupCommand,
      &kRestoreCommand,
      &kInitCommand,
      &kRecoverCommand,
      &kRecoveryShowCommand,
      &kRecoveryReplaceCommand,
      &kRecoveryFollowCommand,
      &kLevelShowCommand,
      &kLevelRaiseCommand,
      &kEnvCreateCommand,
      &kEnvListCommand,
      &kEnvExampleCommand,
      &kEnvRulesCommand,
      &kProjectListCommand,
      &kSecretSetCommand,
      &kSecretImportCommand,
      &kSecretBundleCommand,
      &kSecretGetCommand,
      &kSecretListCommand,
      &kSecretHistoryCommand,
      &kSecretDiffCommand,
      &kSecretRollbackCommand,
      &kSecretPromoteCommand,
      &kSecretDescribeCommand,
      &kSecretDeleteCommand,
      &kSecretUndeleteCommand,
      &kSecretDestroyCommand,
      &kSecretPurgeCommand,
      &kInviteCommand,
      &kEnrollCommand,
      &kApproveCommand,
      &kInvitationListCommand,
      &kInvitationWithdrawCommand,
      &kIdentityListCommand,
      &kIdentityShowCommand,
      &kIdentityRemoveCommand,
      &kIdentityRekeyCommand,
      &kMemberAddCommand,
      &kMemberRemoveCommand,
      &kMemberListCommand,
      &kMemberRekeyCommand,
      &kGroupCreateCommand,
      &kGroupAddCommand,
      &kGroupRemoveCommand,
      &kGroupDeleteCommand,
      &kGroupListCommand,
      &kOwnerAddCommand,
      &kOwnerRemoveCommand,
      &kOwnerListCommand,
      &kOffboardCommand,
      &kReviewCommand,
      &kGrantCommand,
      &kRevokeCommand,
      &kRequestGrantCommand,
      &kRequestRevokeCommand,
      &kRequestMemberCommand,
      &kRequestRotationCommand,
      &kRequestListCommand,
      &kRequestShowCommand,
      &kRequestApproveCommand,
      &kRequestRefuseCommand,
      &kRequestWithdrawCommand,
      &kFreezeCommand,
      &kUnfreezeCommand,
      &kFreezesCommand,
      &kGrantsCommand,
      &kSecretCanaryCommand,
      &kTripwireSetCommand,
      &kTripwireShowCommand,
      &kAlertTestCommand,
      &kMountCommand,
      &kUmountCommand,
      &kReadCommand,
      &kWhyCommand,
      &kAuditListCommand,
      &kAuditReadersCommand,
      &kAuditFollowCommand,
      &kAuditExportCommand,
      &kAuditProveCommand,
      &kAuditVerifyCommand,
      &kTlsShowCommand,
      &kTlsNextCommand,
      &kTlsSwitchCommand,
      &kTlsTrustCommand,
      &kTlsPinCommand,
      &kStatusCommand,
      &kWhoamiCommand,
      &kKeyProtectCommand,
      &kKeyUnprotectCommand,
      &kDoctorCommand,
      &kOpenApiCommand,
      &kVersionCommand,
      &kHelpCommand,
  };
  return commands;
}

const Command* FindCommand(const std::vector<std::string>& words, std::size_t* taken) {
  for (const std::size_t length : {std::size_t{2}, std::size_t{1}}) {
    if (words.size() < length) continue;
    const std::string name = length == 2 ? words[0] + " " + words[1] : words[0];
    for (const Command* command : AllCommands()) {
      if (name != command->name) continue;
      *taken = length;
      return command;
    }
  }
  return nullptr;
}

std::vector<const Command*> CommandsOfGroup(const std::string& word) {
  std::vector<const Command*> group;
  for (const Command* command : AllCommands())
    if (std::string_view(command->name).starts_with(word + " ")) group.push_back(command);
  return group;
}

std::vector<std::string> CommandFirst(const std::vector<std::string>& words) {
  auto at = words.begin();
  while (at != words.end()) {
    if (*at == "--home" && at + 1 != words.end())
      at += 2;
    else if (*at == "--json" || at->starts_with("--home="))
      ++at;
    else
      break;
  }
  std::vector<std::string> ordered(at, words.end());
  std::size_t taken = ordered.size();  // where there is no such command, its words are what is told of
  FindCommand(ordered, &taken);
  ordered.insert(ordered.begin() + static_cast<std::ptrdiff_t>(taken), words.begin(), at);
  return ordered;
}

}  // namespace grantfs
