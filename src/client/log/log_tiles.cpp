#include "grantfs/api/bounds.h"
#include "grantfs/crypto/encoding.h"
#include "log_tiles_internal.h"

namespace grantfs {
namespace {

Result<Bytes> FetchRaw(VaultConnection& vault, const api::Route& route, std::size_t max) {
  const Json json = GRANTFS_TRY(vault.Ask(route, Json(), VaultConnection::CallOptions()));
  const Json* const bytes = json.Find(VaultConnection::kRawMember);
  if (bytes == nullptr || !bytes->is(Json::Kind::kString)) return vault.Malformed();
  auto decoded = Base64Decode(bytes->AsString(), max);
  if (!decoded) return vault.Malformed();
  return decoded;
}

}  // namespace

Result<std::string> FetchCheckpoint(VaultConnection& vault) {
  return ToText(GRANTFS_TRY(FetchRaw(vault, api::kLogCheckpoint, api::kMaxSentCheckpointBytes)));
}

Result<std::vector<Hash>> FetchTile(VaultConnection& vault, const TileName& name) {
  const std::string path = "/v1/log/" + name.Path();
  const api::Route route{api::kLogTile.method, path.c_str(), api::kLogTile.who};
  const Bytes bytes = GRANTFS_TRY(FetchRaw(vault, route, kTileWidth * sizeof(Hash)));
  if (bytes.size() != name.width * sizeof(Hash)) return vault.Malformed();
  std::vector<Hash> hashes;
  for (std::size_t i = 0; i < name.width; ++i)
    hashes.push_back(GRANTFS_TRY(Hash::FromBytes(ByteView(bytes).subspan(i * sizeof(Hash), sizeof(Hash)))));
  return hashes;
}

}  // namespace grantfs
