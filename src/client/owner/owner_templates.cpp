#include <algorithm>

#include "client/connection/problem_internal.h"
#include "grantfs/crypto/template.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

std::vector<std::string> CurrentParts(const SecretList& list) {
  const auto* current = list.Current();
  return current == nullptr ? std::vector<std::string>() : current->publish.parts;
}

}  // namespace

Result<SetSecretResult> OwnerSessionImpl::SetTemplate(const SecretName& name, SecretValue text,
                                                      const SetSecretOptions& options) {
  auto parsed = Template::Parse(std::move(text));
  if (!parsed) return About(parsed.error(), name.Full() + ", " + parsed.error().subject);
  if (parsed->names().empty())
    return Error{Code::kInvalid,
                 "the template names no secret: {{ db-password }} stands for the value of one", 0,
                 name.Full()};
  return std::move(GRANTFS_TRY(SetSecrets({{name, &parsed->text(), parsed->names()}}, options)).front());
}

// What a machine could never show is not published.
Status OwnerSessionImpl::CheckParts(const NewValue& value) {
  for (const std::string& path : value.parts) {
    const SecretName part{value.name.environment, path};
    GRANTFS_CHECK(CheckSecretPath(path));
    if (part == value.name)
      return Error{Code::kInvalid, "the template names itself: name the secrets that it is made of", 0,
                   part.Full()};
    const auto found = GRANTFS_TRY(Find(part));
    if (!found)
      return Error{Code::kNotFound,
                   "the template names a secret that is not there: make it first with grantfs secret set", 0,
                   part.Full()};
    const SecretList list = GRANTFS_TRY(keeper_->RefreshSecret(found->number, part, found->head));
    if (list.create().type == SecretType::kTemplate)
      return Error{Code::kInvalid,
                   "is a template too, and none is made of others: name the secrets that it names", 0,
                   part.Full()};
  }
  return {};
}

Status OwnerSessionImpl::CheckType(const SecretList& list, const NewValue& value) {
  const bool is_template = list.create().type == SecretType::kTemplate;
  if (is_template != value.parts.empty()) return {};
  if (is_template)
    return Error{Code::kInvalid,
                 "is a template: grantfs secret set --template or grantfs secret bundle gives it a new text",
                 0, value.name.Full()};
  return Error{Code::kInvalid, "is a value and stays one: choose another name for the template", 0,
               value.name.Full()};
}

Result<std::vector<SecretName>> OwnerSessionImpl::WithParts(const std::vector<SecretName>& secrets) {
  GRANTFS_CHECK(EnterAll(secrets, Operation::kList));
  std::vector<SecretName> all;
  const auto add = [&](const SecretName& name) {
    if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  };
  // Parts first: of more than one append can hold, the file comes with the last.
  for (const SecretName& secret : secrets)
    for (const std::string& path : CurrentParts(GRANTFS_TRY(FetchSecret(secret))))
      add({secret.environment, path});
  for (const SecretName& secret : secrets) add(secret);
  return all;
}

void OwnerSessionImpl::NamePartsOf(const SecretList& list, GrantOutcome& outcome) {
  for (const std::string& path : CurrentParts(list))
    outcome.lacking.push_back({outcome.secret.environment, path});
}

// The grants are made by now, so that a part that cannot be looked at is no error: it is told of as lacking.
void OwnerSessionImpl::DropGrantedParts(const std::string& who, const std::vector<SecretName>& granted,
                                        GrantOutcome& outcome) {
  std::erase_if(outcome.lacking, [&](const SecretName& part) {
    if (std::find(granted.begin(), granted.end(), part) != granted.end()) return true;
    const auto list = FetchSecret(part);
    const auto to = GranteeNamed(who, part.environment);
    if (!list || !to) return false;
    if (list->grants().contains({to->grantee.kind, to->grantee.number})) return true;
    const auto covering = keeper_->FindEnvironment(part.environment)->groups().Covering(part.path);
    return std::any_of(covering.begin(), covering.end(),
                       [&](const auto* one) { return one->act.grant.grantee == to->grantee; });
  });
}

}  // namespace grantfs
