#include "load_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kStatementsPage = 500;
constexpr std::size_t kPageBytes = std::size_t{4} << 20;

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
    const auto envelope = [&page](std::size_t i) { return std::string_view(page[i].envelope); };
    const auto statements = list->ParseAhead(page.size(), envelope, upper);
    for (std::size_t i = 0; i < page.size(); ++i) {
      if (statements[i] == nullptr)
        return Error{Code::kIntegrity, "a stored statement cannot be read: restore a backup", 0,
                     name + "#" + std::to_string(page[i].head.sequence)};
      GRANTFS_CHECK(list->Receive(statements[i], upper));
    }
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
