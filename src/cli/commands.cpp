#include "commands_internal.h"

namespace grantfs {

const std::vector<CommandSection>& CommandTable() {
  static const std::vector<CommandSection> table = {
      {"the vault",
       {&kServeCommand, &kInitCommand, &kBackupCommand, &kRestoreCommand, &kMendCommand, &kRecoverCommand,
        &kRecoveryShowCommand, &kRecoveryReplaceCommand, &kRecoveryFollowCommand, &kLevelShowCommand,
        &kLevelRaiseCommand}},
      {"environments",
       {&kEnvCreateCommand, &kEnvListCommand, &kEnvExampleCommand, &kEnvRulesCommand, &kProjectListCommand}},
      {"secrets",
       {&kSecretSetCommand, &kSecretImportCommand, &kSecretBundleCommand, &kSecretGetCommand,
        &kSecretListCommand, &kSecretHistoryCommand, &kSecretDiffCommand, &kSecretRollbackCommand,
        &kSecretPromoteCommand, &kSecretDescribeCommand, &kSecretDeleteCommand, &kSecretUndeleteCommand,
        &kSecretDestroyCommand, &kSecretPurgeCommand}},
      {"machines and people",
       {&kInviteCommand,
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
        &kReviewCommand}},
      {"who may read what",
       {&kGrantCommand, &kRevokeCommand, &kGrantsCommand, &kRequestGrantCommand, &kRequestRevokeCommand,
        &kRequestMemberCommand, &kRequestRotationCommand, &kRequestListCommand, &kRequestShowCommand,
        &kRequestApproveCommand, &kRequestRefuseCommand, &kRequestWithdrawCommand}},
      {"where something looks wrong",
       {&kFreezeCommand, &kUnfreezeCommand, &kFreezesCommand, &kSecretCanaryCommand, &kTripwireSetCommand,
        &kTripwireShowCommand, &kAlertTestCommand}},
      {"reading, on a machine", {&kMountCommand, &kUmountCommand, &kReadCommand, &kWhyCommand}},
      {"the audit log",
       {&kAuditListCommand, &kAuditReadersCommand, &kAuditFollowCommand, &kAuditExportCommand,
        &kAuditProveCommand, &kAuditVerifyCommand}},
      {"keys",
       {&kKeyProtectCommand, &kKeyUnprotectCommand, &kTlsShowCommand, &kTlsNextCommand, &kTlsSwitchCommand,
        &kTlsTrustCommand, &kTlsPinCommand}},
      {"this home and this program",
       {&kStatusCommand, &kWhoamiCommand, &kDoctorCommand, &kOpenApiCommand, &kVersionCommand,
        &kHelpCommand}},
  };
  return table;
}

const std::vector<const Command*>& AllCommands() {
  static const std::vector<const Command*> commands = [] {
    std::vector<const Command*> all;
    for (const CommandSection& section : CommandTable())
      all.insert(all.end(), section.commands.begin(), section.commands.end());
    return all;
  }();
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
