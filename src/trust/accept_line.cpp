#include "grantfs/trust/accept_line.h"

#include "json_fields_internal.h"
#include "plain_line_internal.h"

namespace grantfs {
namespace {

constexpr std::string_view kAcceptPrefix = "grantfs-accept-1.";

}  // namespace

std::string EncodeAcceptLine(const AcceptLine& line) {
  return EncodePlainLine(kAcceptPrefix, Json::Object({{"vault", line.vault.Hex()},
                                                      {"address", line.address},
                                                      {"pin", line.pin.Hex()},
                                                      {"head", line.head.ToJson()},
                                                      {"identity", line.identity.Hex()}}));
}

Result<AcceptLine> DecodeAcceptLine(std::string_view text) {
  const Json json = GRANTFS_TRY(DecodePlainLine(kAcceptPrefix, text));
  JsonReader in(json, "line");
  AcceptLine line;
  line.vault = ReadHex<Hash>(in, "vault");
  line.address = ReadText(in, "address", 255, 1);
  line.pin = ReadHex<Hash>(in, "pin");
  const Json& head = in.Object("head");
  line.identity = ReadHex<Hash>(in, "identity");
  GRANTFS_CHECK(in.Finish());
  line.head = GRANTFS_TRY(Head::FromJson(head));
  return line;
}

}  // namespace grantfs
