#pragma once

#include <string>
#include <vector>

namespace grantfs {

// What it takes to put another key in the place of somebody's, and what became of it.

struct RekeyOptions {
  std::string fingerprint;  ///< of the new key, as the person sees it; "" = was compared by eye
  std::string reason;
  bool lost = false;  ///< go on where environments are left with too few owners: the key before is lost
};

struct RekeyResult {
  std::string name;
  std::string id;           ///< of the new key, hex
  std::string fingerprint;  ///< of the new key
  std::string before;       ///< the id of the key before
  bool vault_owner = false;
  std::vector<std::string> environments;  ///< where the new key has the role now
  std::vector<std::string>
      waiting;                      ///< requests by which it waits to own an environment that asks two owners
  std::vector<std::string> others;  ///< environments where one of their owners has yet to give it the role
  std::vector<std::string> orphans;   ///< those of all where too few owners are left to do it
  std::vector<std::string> problems;  ///< one sentence each: what was not done
};

}  // namespace grantfs
