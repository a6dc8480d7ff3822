#pragma once

#include <string>
#include <string_view>

namespace grantfs {

/// A statement's payload in less room, for memory alone. @param json  one that parses: it has no control
/// character but white space.
std::string PackJson(std::string_view json);
/// What PackJson made. What it did not make becomes some text.
std::string UnpackJson(std::string_view packed);

}  // namespace grantfs
