#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace grantfs {

/// Whom the workers of a mount run as: the system's user `grantfs` if there is one, else a number that no
/// system gives to anybody. An ordinary user's run as that user.
std::pair<uid_t, gid_t> WorkerUser();

/// What there is to be said against whom they run as: somebody else has that number. "" = nothing.
std::string DoubtAboutWorkerUser(uid_t user);

/// Where orders to this user's mounts are taken; "" for a user who has no such place.
std::string ControlDirectory();

/// What a mount starts this program as (supervisor.h); no command of people. Does not return.
[[noreturn]] void RunMountWorker(const std::vector<std::string>& words);

}  // namespace grantfs
