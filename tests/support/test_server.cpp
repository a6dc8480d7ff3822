#include "test_server.h"

#include "described.h"
#include "grantfs/httpsig/signature.h"
#include "grantfs/util/clock.h"

namespace grantfs::testing {

TestServer::TestServer(ServeOptions options) : options_(std::move(options)) {
  options_.data_directory = dir_.path() + "/data";
  options_.listen = {{"127.0.0.1", 0}};
  options_.claim_on_terminal = false;
  if (!options_.say) options_.say = [](std::string_view) {};
  server_ = Must(VaultServer::Start(options_));
}

void TestServer::Stop() {
  options_.listen = {address()};
  server_.reset();
}

void TestServer::Restart() {
  if (server_) Stop();
  server_ = Must(VaultServer::Start(options_));
}

InviteLine TestServer::claim() const {
  const SecretMemory text = Must(ReadSecretFile(claim_path().c_str(), 4096));
  return Must(DecodeInviteLine(text, true));
}

RawClient::RawClient(const TestServer& server) : authority(server.address().Authority()) {
  HttpClientOptions options;
  options.server = server.address();
  options.pins = {server.pin()};
  http_ = Must(HttpClient::Create(std::move(options)));
}

HttpRequest RawClient::Signed(const RequestSigner& who, const std::string& method, const std::string& path,
                              const std::string& body) const {
  HttpRequest request;
  request.method = method;
  request.path = path;
  request.authority = authority;
  request.body = body;
  request.headers = Must(SignRequest({method, authority, path, "", body}, vault, instance,
                                     SystemClock().WallSeconds() + clock_offset, who.keyid, *who.key));
  return request;
}

HttpRequest RawClient::Signed(const RequestSigner& who, const api::Route& route,
                              const std::string& body) const {
  return Signed(who, route.method, route.path, body);
}

Result<HttpResponse> RawClient::Send(const HttpRequest& request) {
  HttpClient::SendOptions options;
  options.deadline = std::chrono::seconds(30);
  auto answer = http_->SendAndWait(request, options);
  if (answer) ExpectDescribed(request, *answer);
  return answer;
}

Result<HttpResponse> RawClient::Exchange(const RequestSigner& who, const api::Route& route,
                                         const std::string& body) {
  auto answer = GRANTFS_TRY(Send(Signed(who, route, body)));
  if (answer.status != 401) return answer;
  const std::string* told = FindHeader(answer.headers, kInstanceHeader);
  if (told == nullptr || *told == instance) return answer;
  instance = *told;
  return Send(Signed(who, route, body));
}

Result<api::ClaimInfo> WireDoor::ShowClaim() {
  claim_ = server_.claim();
  return client.Call<api::ClaimInfo>(RequestSigner::OfClaim(claim_->secret), api::kClaimShow, api::Nothing{});
}

Result<api::ClaimResponse> WireDoor::Claim(const api::ClaimRequest& request) {
  auto made =
      client.Call<api::ClaimResponse>(RequestSigner::OfClaim(claim_->secret), api::kClaimUse, request);
  if (made) client.vault = made->vault.Hex();
  return made;
}

Result<api::AppendResponse> WireDoor::Append(const PrivateIdentity& who, const api::AppendRequest& request) {
  return client.Call<api::AppendResponse>(RequestSigner::Of(who), api::kListsAppend, request);
}

Result<api::ReserveResponse> WireDoor::Reserve(const PrivateIdentity& who,
                                               const api::ReserveRequest& request) {
  return client.Call<api::ReserveResponse>(RequestSigner::Of(who), api::kSecretsReserve, request);
}

Status WireDoor::Stage(const PrivateIdentity& who, const api::StageCiphertextRequest& request) {
  GRANTFS_TRY(client.Call<api::Nothing>(RequestSigner::Of(who), api::kStageCiphertext, request));
  return {};
}

Status WireDoor::Stage(const PrivateIdentity& who, const api::StageCopiesRequest& request) {
  GRANTFS_TRY(client.Call<api::Nothing>(RequestSigner::Of(who), api::kStageCopies, request));
  return {};
}

Status WireDoor::Stage(const PrivateIdentity& who, const api::StageEpochRequest& request) {
  GRANTFS_TRY(client.Call<api::Nothing>(RequestSigner::Of(who), api::kStageEpoch, request));
  return {};
}

Result<api::EnrolmentStateResponse> WireDoor::Enrol(const InviteSecret& invite,
                                                    const api::EnrolRequest& request) {
  return client.Call<api::EnrolmentStateResponse>(RequestSigner::Of(invite), api::kEnrol, request);
}

}  // namespace grantfs::testing
