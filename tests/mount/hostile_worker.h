#pragma once

#include <functional>
#include <string>

namespace grantfs {

/// From inside a worker, whatever one in a stranger's hands could do to its supervisor by way of what it was
/// given. On a thread of its own, for good.
///
/// @param kind  "talks", "closes", "descriptors", "asks", "half", "shrinks", "prints",
/// "forks", "becomes", "scribbles", "invents", "stops", "kills".
/// @param done  runs when the worst has been done.
void BeHostile(const std::string& kind, const std::function<void()>& done);

}  // namespace grantfs
