#include "load_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kStatementsPage = 500;
constexpr std::size_t kPageBytes = std::size_t{4} << 20;

Status Receive(const StoredStatement& stored, const UpperLists& upper, SignedList* list) {
  auto parsed = SignedStatement::Parse(stored.envelope);
  if (!parsed) {
    return Error{Code::kIntegrity, "a stored statement cannot be read: restore a backup", 0,
                 stored.list + "#" + std::to_string(stored.head.sequence)};
  }
  return list->Receive(std::make_shared<const SignedStatement>(*std::move(parsed)), upper);
}

template <typename List>
Result<std::shared_ptr<const List>> LoadVerified(StoreReader& reader, const UpperLists& upper,
                                                 std::shared_ptr<List> list) {
  GRANTFS_CHECK(LoadList(reader, upper, list.get()));
  GRANTFS_CHECK(list->CheckStanding(upper));
  return std::shared_ptr<const List>(std::move(list));
}

}  // namespace

Status LoadList(StoreReader& reader, const UpperLists& upper, SignedList* list) {
  const std::string name = list->id().Text();
  for (;;) {
    const auto page =
        GRANTFS_TRY(reader.ReadStatements(name, list->next_sequence(), kStatementsPage, kPageBytes));
    if (page.empty()) return {};
    for (const StoredStatement& stored : page) GRANTFS_CHECK(Receive(stored, upper, list));
  }
}

Result<StatePtr> LoadState(StoreReader& reader) {
  auto state = std::make_shared<VaultState>();
  const auto claimed = GRANTFS_TRY(reader.VaultId());
  if (!claimed) return StatePtr(state);
  state->vault = GRANTFS_TRY(LoadVerified(reader, {}, std::make_shared<VaultList>()));
  if (state->vault->empty() || state->vault->vault_id() != *claimed) {
    return Error{Code::kIntegrity, "the vault's list is not the one of this vault: restore a backup", 0,
                 claimed->Hex()};
  }
  state->machines = GRANTFS_TRY(LoadVerified(reader, state->Upper(), std::make_shared<MachinesList>()));
  for (const auto& [name, entry] : state->vault->environments()) {
    auto list = GRANTFS_TRY(LoadVerified(reader, state->Upper(), std::make_shared<EnvironmentList>(name)));
    GRANTFS_CHECK(list->CheckGenesis(*state->vault));
    state->environments[name] = list;
    for (const auto& [number, group] : list->groups().all()) {
      auto members =
          GRANTFS_TRY(LoadVerified(reader, state->Upper(name), std::make_shared<GroupList>(name, number)));
      GRANTFS_CHECK(members->CheckGenesis(*list));
      state->groups[{name, number}] = std::move(members);
    }
  }
  return StatePtr(state);
}

}  // namespace grantfs
