#include <algorithm>
#include <span>
#include <vector>

#include "fill.h"
#include "grantfs/api/bounds.h"
#include "grantfs/crypto/random.h"
#include "grantfs/util/clock.h"

namespace grantfs::bench {
namespace {

using Machines = std::vector<const MachinesList::Machine*>;

Machines PresentIn(const MachinesList& list) {
  Machines machines;
  for (const auto& [number, machine] : list.machines())
    if (!machine.removed) machines.push_back(&machine);
  return machines;
}

GrantAdd GrantTo(const MachinesList::Machine& machine) {
  GrantAdd add;
  const Identity& who = machine.identity;
  add.grant.grantee = {GranteeKind::kMachine, machine.number, who.Id(), who.name, who.seal, who.not_after};
  return add;
}

/// Secrets of one environment, as many statements an append as a request may have.
class Maker {
 public:
  Maker(OpenVault& open, const StatePtr& state, const std::string& environment)
      : open_(open), environment_(environment), upper_(state->Upper(environment)) {
    if (upper_.environment == nullptr) Fail("there is no environment " + environment);
  }

  /// @param readers  of the one version: to several, nobody is granted anything here.
  void Make(const std::string& path, std::uint64_t versions, const Machines& readers) {
    SecretList list(NextNumber());
    Add(list, SecretCreate{list.id().number, environment_, path, SecretType::kValue, "", ""});
    EncryptedVersion made;
    for (std::uint64_t version = 0; version < versions; ++version) made = Publish(list);
    for (std::size_t at = 0; at < readers.size(); at += api::kMaxCopies) {
      const auto now = std::span(readers).subspan(at, std::min(api::kMaxCopies, readers.size() - at));
      std::vector<SecretList::Target> targets;
      for (const auto* machine : now)
        targets.push_back({{RecipientKind::kMachine, machine->number, 0}, machine->identity.seal, ""});
      Seal(list.id().number, list.next_version() - 1, made, targets);
      for (const auto* machine : now) Add(list, GrantTo(*machine));
    }
  }

  void Send() {
    if (count_ != 0) open_.Append(request_);
    request_.appends.clear();
    count_ = 0;
  }

 private:
  std::uint64_t NextNumber() {
    if (reserved_ == 0) number_ = open_.Reserve(environment_, reserved_ = api::kMaxNumbers);
    --reserved_;
    return number_++;
  }

  void Add(SecretList& list, Act act) {
    if (count_ == api::kMaxStatements) Send();
    if (request_.appends.empty() || request_.appends.back().list != list.id())
      request_.appends.push_back({list.id(), {}});
    request_.appends.back().statements.push_back(open_.SignNext(list, upper_, std::move(act)));
    ++count_;
  }

  EncryptedVersion Publish(SecretList& list) {
    const std::uint64_t number = list.id().number;
    const std::uint32_t version = list.next_version();
    const std::uint32_t epoch = upper_.environment->newest_epoch().number;
    const SecretValue value(Must(RandomText(AlphabetNamed("hex"), 64)));
    auto made = Must(EncryptVersion({upper_.vault->vault_id(), environment_, number, version, epoch}, value));
    open_.Stage(api::StageCiphertextRequest{number, version, made.commitment, made.ciphertext});
    Seal(number, version, made, list.SealTargets(SystemClock().WallSeconds(), upper_));
    Add(list, VersionPublish{environment_, list.state().path, version, value.size(), made.ciphertext_hash,
                             made.commitment, epoch, ""});
    return made;
  }

  void Seal(std::uint64_t number, std::uint32_t version, const EncryptedVersion& made,
            const std::vector<SecretList::Target>& targets) {
    api::StageCopiesRequest copies{number, version, made.commitment, {}};
    for (const auto& target : targets)
      copies.copies.push_back({target.recipient, Must(SealDataKey(target.key, made.data_key))});
    open_.Stage(copies);
  }

  OpenVault& open_;
  const std::string environment_;
  const UpperLists upper_;
  std::uint64_t number_ = 0;
  std::uint32_t reserved_ = 0;
  api::AppendRequest request_;
  std::size_t count_ = 0;  // its statements
};

}  // namespace

void FillSecrets(OpenVault& open, std::uint64_t count, std::uint64_t grants_each) {
  const StatePtr state = open.Load();
  const Machines machines = PresentIn(*state->machines);
  const std::uint64_t environments = state->environments.size();
  const std::uint64_t each = count / environments;
  std::uint64_t place = 0;
  for (const auto& [name, list] : state->environments) {
    std::vector<Machines> readers(each);
    for (std::uint64_t i = place, of_it = 0; i < machines.size(); i += environments, ++of_it) {
      for (std::uint64_t k = 0; k < grants_each; ++k)
        readers[(of_it * grants_each + k) % each].push_back(machines[i]);
    }
    Maker maker(open, state, name);
    for (std::uint64_t i = 0; i < each; ++i) {
      maker.Make("S_" + std::to_string(i), 1, readers[i]);
      if (i % 1000 == 0) ShowProgress("secrets", place * each + i, count);
    }
    maker.Send();
    ++place;
  }
  open.Finish();
}

void FillReaders(OpenVault& open, const std::string& environment, const std::string& path,
                 std::uint64_t count) {
  const StatePtr state = open.Load();
  Machines machines = PresentIn(*state->machines);
  machines.resize(std::min<std::size_t>(machines.size(), count));
  Maker maker(open, state, environment);
  maker.Make(path, 1, machines);
  maker.Send();
  open.Finish();
}

void FillVersions(OpenVault& open, const std::string& environment, std::uint64_t count,
                  std::uint64_t versions) {
  const StatePtr state = open.Load();
  Maker maker(open, state, environment);
  for (std::uint64_t i = 0; i < count; ++i) {
    maker.Make("N_" + std::to_string(i), versions, {});
    if (i % 1000 == 0) ShowProgress("secrets", i, count);
  }
  maker.Send();
  open.Finish();
}

}  // namespace grantfs::bench
