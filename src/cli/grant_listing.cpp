#include "grantfs/journal/entry.h"
#include "grantfs/util/clock.h"
#include "listing_internal.h"

namespace grantfs {

std::string LeaseCell(std::int64_t lease, std::int64_t offline, const std::string& record) {
  std::string text = FormatDuration(lease);
  if (offline > 0) text += (text.empty() ? "offline " : ", offline ") + FormatDuration(offline);
  return text.empty() || record == kRecordEach ? text : text + ", " + record;
}

std::string ModeText(std::uint32_t mode) {
  std::string text = "0";
  for (int shift = 6; shift >= 0; shift -= 3) text += static_cast<char>('0' + (mode >> shift & 7));
  return text;
}

Json ToJson(const GrantInfo& info) {
  const Grant& grant = info.grant;
  return Json::Object({{"secret", info.secret.Full()},
                       {"type", info.prefix ? "prefix" : TypeName(info.type)},
                       {"machine", info.machine},
                       {"machine_id", info.machine_id},
                       {"label", grant.label},
                       {"owner", grant.owner},
                       {"group", grant.group},
                       {"mode", ModeText(grant.mode)},
                       {"strict", grant.strict},
                       {"conditions", Json::Array({grant.conditions.begin(), grant.conditions.end()})},
                       {"lease", grant.lease},
                       {"offline", grant.offline},
                       {"record", grant.record},
                       {"expires", grant.expires},
                       {"time", info.time},
                       {"signer", info.signer}});
}

}  // namespace grantfs
