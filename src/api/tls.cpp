#include "grantfs/api/tls.h"

#include "fields_internal.h"

namespace grantfs::api {

Json TlsResponse::ToJson() const {
  Json json = Json::Object({{"current", current.Hex()}});
  if (next) json.Set("next", next->Hex()).Set("made", made);
  return json;
}

Result<TlsResponse> TlsResponse::FromJson(const Json& json) {
  JsonReader in(json, "tls");
  TlsResponse response;
  response.current = ReadHex<Hash>(in, "current");
  if (in.Has("next")) {
    response.next = ReadHex<Hash>(in, "next");
    response.made = ReadTime(in, "made");
  }
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json TlsNextRequest::ToJson() const { return Json::Object({{"fresh", fresh}}); }

Result<TlsNextRequest> TlsNextRequest::FromJson(const Json& json) {
  JsonReader in(json, "tls");
  const TlsNextRequest request{in.Bool("fresh")};
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json TlsSwitchRequest::ToJson() const { return Json::Object({{"next", next.Hex()}}); }

Result<TlsSwitchRequest> TlsSwitchRequest::FromJson(const Json& json) {
  JsonReader in(json, "tls");
  const TlsSwitchRequest request{ReadHex<Hash>(in, "next")};
  GRANTFS_CHECK(in.Finish());
  return request;
}

}  // namespace grantfs::api
