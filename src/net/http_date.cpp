#include <time.h>

#include <cstdio>

#include "grantfs/net/http.h"

namespace grantfs {

// Not strftime: its names of days and months depend on the locale.
std::string HttpDate(std::int64_t unix_seconds) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t when = unix_seconds;
  struct tm parts {};
  if (gmtime_r(&when, &parts) == nullptr) return "Thu, 01 Jan 1970 00:00:00 GMT";
  char buffer[64];
  const int size = std::snprintf(buffer, sizeof buffer, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                 kDays[parts.tm_wday], parts.tm_mday, kMonths[parts.tm_mon],
                                 parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return {buffer, static_cast<std::size_t>(size)};
}

std::int64_t ParseHttpDate(const std::string& text) {
  struct tm parts {};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return -1;
  return ::timegm(&parts);
}

}  // namespace grantfs
