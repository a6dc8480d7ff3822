#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// How events are written for other programs. Whatever stands in a field, also what a hostile name holds,
// stays within it: no line, field or message can be forged. Threads: all safe.

namespace grantfs {

using EventFields = std::vector<std::pair<std::string, std::string>>;

/// A message of RFC 5424.
struct SyslogEvent {
  int facility = 13;         ///< 0..23; 13 is the log audit
  int severity = 6;          ///< 0..7
  std::int64_t time_ms = 0;  ///< unix milliseconds
  std::string host;
  std::string app = "grantfs";
  std::string id;       ///< the MSGID
  std::string data_id;  ///< the SD-ID: "name@number"; "" = no structured data
  EventFields data;
  std::string text;
};

/// One message, without framing. HOSTNAME, APP-NAME and MSGID are cut at their bounds, and what is not
/// printable ASCII in them becomes "?". In values `"`, `\` and `]` are escaped; control characters become "#"
/// and three octal digits there and in the text, so that a message is one line; what is not UTF-8 becomes
/// U+FFFD. A text that is not ASCII has the BOM. Source: RFC 5424 section 6.
std::string FormatSyslog(const SyslogEvent& event);

/// A message as RFC 6587 section 3.4.1 and RFC 5425 section 4.3 frame it: its length, a space, itself.
std::string FrameByCount(std::string_view message);

/// An event of ArcSight's Common Event Format, version 0.
struct CefEvent {
  std::string version;  ///< of the product
  std::string id;       ///< the signature id
  std::string name;
  int severity = 0;  ///< 0..10
  EventFields fields;
};

/// One line without its end. In the header `\` and `|` are escaped, and line ends become spaces; in values
/// `\` and `=` are escaped, and line ends become `\n` and `\r`; other control characters become "?". Fields
/// without a value are left out. Keys are the program's own: [A-Za-z0-9].
std::string FormatCef(const CefEvent& event);

}  // namespace grantfs
