#pragma once

#include <string>
#include <vector>

#include "command_internal.h"
#include "grantfs/client/owner_results.h"
#include "table_internal.h"

namespace grantfs {

// What the commands about freezes share.

/// "machine web-1", "env shop/prod", "project shop"; --environment of the first. Errors: kInvalid.
Result<FreezeTarget> ParseFreezeTarget(const Arguments& arguments);

/// "env shop/prod", "machine web-1 --environment shop/prod": as the commands take it.
std::string FreezeWords(const FreezeInfo& freeze);
/// "env shop/prod", "machine web-1 in shop/prod".
std::string FreezeCell(const FreezeInfo& freeze);
Json ToJson(const FreezeInfo& freeze);
Json FreezesJson(const std::vector<FreezeInfo>& freezes);
/// "env shop/prod was frozen by ann at ...: reason".
std::string FreezeSentence(const FreezeInfo& freeze);

/// The answer of freeze and unfreeze. @param done  "frozen", "unfrozen".
void OutFreezeResult(Context& context, const char* done, const FreezeResult& result);

}  // namespace grantfs
