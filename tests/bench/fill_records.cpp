#include <algorithm>
#include <map>
#include <vector>

#include "fill.h"
#include "grantfs/api/machine.h"
#include "grantfs/api/routes.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"
#include "grantfs/httpsig/signature.h"
#include "vault/records_internal.h"

namespace grantfs::bench {
namespace {

constexpr std::size_t kPage = 1000;
constexpr std::uint64_t kRecordsAtOnce = 2000;
/// A prime, so that one read after the other is of another machine and secret, and all have their turn.
constexpr std::uint64_t kStride = 999'983;

struct Reader {
  PrivateIdentity key;
  std::uint64_t number = 0;
};

/// Who may read what.
struct Grants {
  std::vector<Reader> machines;
  std::vector<StoredSecret> secrets;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> all;  // of one and of the other
};

std::map<std::uint64_t, std::uint32_t> LoadMachines(const OpenVault& open, const MachinesList& list,
                                                    Grants& grants) {
  std::map<std::uint64_t, std::uint32_t> places;
  const std::string prefix = kMachinePrefix;
  for (const auto& [number, machine] : list.machines()) {
    const std::string& name = machine.identity.name;
    if (machine.removed || !name.starts_with(prefix)) continue;
    places[number] = static_cast<std::uint32_t>(grants.machines.size());
    PrivateIdentity key = KeyOfMachine(open, std::strtoull(name.c_str() + prefix.size(), nullptr, 10));
    if (key.Id() != machine.identity.Id()) Fail(name + " was made by another");
    grants.machines.push_back({std::move(key), number});
  }
  return places;
}

Grants LoadGrants(OpenVault& open) {
  const StatePtr state = open.Load();
  Grants grants;
  const auto places = LoadMachines(open, *state->machines, grants);
  const auto reader = Must(open.store().Read());
  for (const auto& [name, list] : state->environments) {
    std::string after;
    for (bool more = true; more;) {
      auto page = Must(reader->ListSecrets(name, after, kPage));
      more = page.size() == kPage;
      for (StoredSecret& secret : page) {
        after = secret.path;
        for (const StoredGrant& grant : Must(reader->GrantsOfSecret(secret.number))) {
          const auto at = grant.kind == GranteeKind::kMachine ? places.find(grant.number) : places.end();
          if (at != places.end()) grants.all.emplace_back(at->second, grants.secrets.size());
        }
        grants.secrets.push_back(std::move(secret));
      }
    }
  }
  return grants;
}

/// Records of reads, as the vault makes them of a machine's requests.
class Reads {
 public:
  Reads(const OpenVault& open, Grants grants)
      : grants_(std::move(grants)),
        authority_(open.home().profile().address.Authority()),
        vault_(open.home().profile().vault.Hex()),
        instance_(HexEncode(RandomBytes(16))) {
    if (grants_.all.empty()) Fail("no machine that was made here is granted anything: fill secrets first");
  }

  AuditRecord Next() {
    at_ = (at_ + kStride) % grants_.all.size();
    const Reader& machine = grants_.machines[grants_.all[at_].first];
    const StoredSecret& secret = grants_.secrets[grants_.all[at_].second];
    api::ReadRequest request;
    request.secret = secret.number;
    request.open = HexEncode(RandomBytes(16));
    request.caller.pid = 4711;
    request.caller.uid = request.caller.gid = 33;
    request.caller.executable = "/usr/bin/cat";
    request.caller.cgroup = "/system.slice/app.service";
    ReadRecord read{secret.environment, secret.path, secret.number, 1, request.open};
    read.process = &request.caller;
    return MakeReadRecord(SystemClock(), Asks(machine, request.ToJson().Dump()), read);
  }

 private:
  VaultCaller Asks(const Reader& machine, const std::string& body) const {
    const SignedParts parts{api::kMachineRead.method, authority_, api::kMachineRead.path, "", body};
    const auto headers = Must(SignRequest(parts, vault_, instance_, SystemClock().WallSeconds(),
                                          machine.key.Id().Hex(), machine.key.signing_key()));
    SignatureInfo info = Must(ParseSignature(parts, headers));
    VaultCaller caller;
    caller.id = machine.key.Id();
    caller.identity_kind = IdentityKind::kMachine;
    caller.name = machine.key.identity().name;
    caller.machine = machine.number;
    caller.remote = "10." + std::to_string(machine.number >> 16) + "." +
                    std::to_string(machine.number >> 8 & 255) + "." + std::to_string(machine.number & 255);
    caller.signature = info.signature;
    caller.signature_base = std::move(info.base);
    return caller;
  }

  const Grants grants_;
  const std::string authority_;
  const std::string vault_;
  const std::string instance_;
  std::uint64_t at_ = 0;
};

}  // namespace

void FillRecords(OpenVault& open, std::uint64_t count) {
  Reads reads(open, LoadGrants(open));
  UnderWay under_way(4);
  std::uint64_t size = Must(Must(open.store().Read())->AuditSize());
  for (std::uint64_t shown = size; size < count;) {
    const auto records = std::make_shared<std::vector<AuditRecord>>();
    while (size < count && records->size() < kRecordsAtOnce) {
      records->push_back(reads.Next());
      ++size;
    }
    under_way.Begin();
    open.store().Write(
        [records](StoreWriter& writer) -> Status {
          for (const AuditRecord& record : *records) GRANTFS_TRY(writer.Audit(record));
          return {};
        },
        [&under_way](const Status& status) {
          Must(status);
          under_way.End();
        });
    if (size - shown < 100'000) continue;
    ShowProgress("records", size, count);
    shown = size;
  }
  under_way.WaitForAll();
}

}  // namespace grantfs::bench
