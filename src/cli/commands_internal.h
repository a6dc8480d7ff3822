#pragma once

#include <string>
#include <vector>

#include "command_internal.h"

namespace grantfs {

// One file each: src/cli/<name>_command.cpp.
extern const Command kServeCommand, kInitCommand, kStatusCommand, kWhoamiCommand;
extern const Command kEnvCreateCommand, kEnvListCommand, kEnvExampleCommand, kProjectListCommand;
extern const Command kSecretSetCommand, kSecretImportCommand, kSecretGetCommand, kSecretListCommand;
extern const Command kSecretHistoryCommand, kSecretBundleCommand;
extern const Command kBackupCommand, kRestoreCommand, kMendCommand;
extern const Command kRecoverCommand, kRecoveryShowCommand, kRecoveryReplaceCommand, kRecoveryFollowCommand;
extern const Command kLevelShowCommand, kLevelRaiseCommand;
extern const Command kInvitationListCommand, kInvitationWithdrawCommand;
extern const Command kSecretRollbackCommand, kSecretPromoteCommand, kSecretDescribeCommand,
    kSecretDiffCommand;
extern const Command kSecretDeleteCommand, kSecretUndeleteCommand, kSecretDestroyCommand, kSecretPurgeCommand;
extern const Command kInviteCommand, kEnrollCommand, kApproveCommand;
extern const Command kIdentityListCommand, kIdentityShowCommand, kIdentityRemoveCommand,
    kIdentityRekeyCommand;
extern const Command kGroupCreateCommand, kGroupAddCommand, kGroupRemoveCommand, kGroupDeleteCommand,
    kGroupListCommand;
extern const Command kMemberAddCommand, kMemberRemoveCommand, kMemberListCommand, kMemberRekeyCommand;
extern const Command kOwnerAddCommand, kOwnerRemoveCommand, kOwnerListCommand, kOffboardCommand,
    kReviewCommand;
extern const Command kGrantCommand, kRevokeCommand, kFreezeCommand, kUnfreezeCommand, kFreezesCommand,
    kGrantsCommand;
extern const Command kEnvRulesCommand;
extern const Command kRequestGrantCommand, kRequestRevokeCommand, kRequestMemberCommand,
    kRequestRotationCommand;
extern const Command kRequestListCommand, kRequestShowCommand, kRequestApproveCommand, kRequestRefuseCommand,
    kRequestWithdrawCommand;
extern const Command kAlertTestCommand, kSecretCanaryCommand, kTripwireSetCommand, kTripwireShowCommand;
extern const Command kReadCommand, kMountCommand, kUmountCommand, kWhyCommand;
extern const Command kAuditExportCommand, kAuditFollowCommand, kAuditListCommand, kAuditProveCommand,
    kAuditReadersCommand, kAuditVerifyCommand;
extern const Command kKeyProtectCommand, kKeyUnprotectCommand;
extern const Command kTlsNextCommand, kTlsPinCommand, kTlsShowCommand, kTlsSwitchCommand, kTlsTrustCommand;
extern const Command kDoctorCommand, kOpenApiCommand, kVersionCommand, kHelpCommand;

/// The table, by what they are about, in the order in which a newcomer meets them.
const std::vector<CommandSection>& CommandTable();
/// All that stand in it.
const std::vector<const Command*>& AllCommands();

/// The command that the first words name, and how many words that took; nullptr if there is none.
const Command* FindCommand(const std::vector<std::string>& words, std::size_t* taken);

/// Those whose name begins with this word ("secret"). Empty if it is none.
std::vector<const Command*> CommandsOfGroup(const std::string& word);

/// The words with what stands before the command (--home DIR, --json) moved behind it.
std::vector<std::string> CommandFirst(const std::vector<std::string>& words);

}  // namespace grantfs
