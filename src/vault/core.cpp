#include "core_internal.h"
#include "grantfs/log/log.h"
#include "load_internal.h"

namespace grantfs {

Vault::Core::Core(Store& the_store, VaultOptions the_options)
    : store(the_store),
      options(std::move(the_options)),
      secrets(options.cached_statements),
      retention(options.keep_audit.empty()
                    ? nullptr
                    : std::make_unique<Retention>(the_store, *options.clock, options.keep_audit)),
      tripwires(options.usual_rate),
      hub(*options.clock, options.max_watches_of_one,
          [this](bool minute) {
            Beat();
            if (minute) Upkeep();
          }),
      appends(options.max_waiting_appends) {}

Vault::Core::~Core() {
  appends.Close();
  hub.Close();
  if (retention) retention->Close();
  for (const auto& sender : alerts) sender->Close();
  FinishUpkeep();
}

Result<StoredSecret> Vault::Core::SecretFor(const VaultState& now, StoreReader& reader,
                                            const VaultCaller& caller, std::uint64_t number,
                                            Operation operation) const {
  auto secret = GRANTFS_TRY(reader.GetSecret(number));
  if (!secret) return NotVisible();
  GRANTFS_CHECK(now.CheckMember(caller, secret->environment, operation));
  return *std::move(secret);
}

Result<SecretCache::ListPtr> Vault::Core::LoadSecret(StoreReader& reader, const StoredSecret& secret,
                                                     const SecretCache::ListPtr& begun) {
  const StatePtr newest = ahead.Get();
  const UpperLists upper = newest->Upper(secret.environment);
  if (!secret.head || upper.environment == nullptr) return NotVisible();
  if (auto held = secrets.Find(secret.number, *secret.head)) return held;
  if (begun != nullptr && begun->head() == secret.head) return begun;
  std::shared_ptr<SecretList> list;
  if (begun != nullptr && begun->next_sequence() <= secret.head->sequence) {
    list = std::make_shared<SecretList>(*begun);
    const Status goes_on = LoadList(reader, upper, list.get());
    if (!goes_on || list->head() != secret.head) list = nullptr;  // then all of it is looked at
  }
  if (list == nullptr) {
    list = std::make_shared<SecretList>(secret.number);
    GRANTFS_CHECK(LoadList(reader, upper, list.get()));
  }
  secrets.Put(list);
  return SecretCache::ListPtr(std::move(list));
}

void Vault::Core::CountRefusal(const VaultCaller& caller, const char* type, const std::string& environment) {
  counts.Add(type, environment, caller.Actor(), caller.remote, Now());
}

Store::Job Vault::Core::UpkeepJob(std::shared_ptr<const std::vector<CountedEvent>> events) const {
  return [clock = options.clock, events = std::move(events), now = Now()](StoreWriter& writer) -> Status {
    for (const CountedEvent& event : *events) GRANTFS_TRY(writer.Audit(MakeCountedRecord(*clock, event)));
    return writer.ExpireStaged(now);
  };
}

// What cannot be recorded is counted on.
void Vault::Core::Upkeep() {
  tripwires.Sweep(Now());
  if (retention) retention->Poke();
  if (store.Room() == DiskRoom::kReserve) return;  // what strangers cause is counted on
  const auto events = std::make_shared<const std::vector<CountedEvent>>(counts.Take());
  store.Write(UpkeepJob(events), [this, events](Status status) {
    if (!status) counts.Return(*events);
  });
}

// The store runs its jobs in order: when this one is done, none is left that knows of the core.
void Vault::Core::FinishUpkeep() {
  const auto job = UpkeepJob(std::make_shared<const std::vector<CountedEvent>>(counts.Take()));
  Status done = store.WriteAndWait(job);
  while (!done && done.error().code == Code::kThrottled) done = store.WriteAndWait(job);
  if (!done) Log(LogLevel::kWarning, "the last counts could not be recorded", done.error());
  // What ended before that may have queued its telling behind it.
  Status told = store.WriteAndWait([](StoreWriter&) { return Status(); });
  while (!told && told.error().code == Code::kThrottled)
    told = store.WriteAndWait([](StoreWriter&) { return Status(); });
}

}  // namespace grantfs
