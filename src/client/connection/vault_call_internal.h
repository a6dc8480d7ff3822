#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "grantfs/client/vault_connection.h"

namespace grantfs {

/// The attempts at one thing, of which the last can be cancelled. Threads: safe.
class VaultConnection::Attempts : public PendingRequest {
 public:
  void Cancel() override;

 protected:
  int NextTurn();
  void Began(int turn, const std::shared_ptr<PendingRequest>& attempt);
  bool IsCancelled();

 private:
  std::mutex mutex_;
  int turn_ = 0;
  bool cancelled_ = false;
  std::shared_ptr<PendingRequest> attempt_;
};

/// One request, its second try after a 401, and its repetitions after a lost answer. Threads: safe.
class VaultConnection::Call final : public Attempts, public std::enable_shared_from_this<Call> {
 public:
  Call(VaultConnection* connection, const api::Route& route, Json body, CallOptions options, Done done);
  void Start() { Attempt(); }

 private:
  void Attempt();
  void Answered(Result<HttpResponse> response);
  void Finish(Result<Json> result);
  std::chrono::milliseconds Left() const;

  VaultConnection* const connection_;
  const api::Route& route_;
  const std::string body_;
  const bool again_;
  const std::chrono::steady_clock::time_point end_;
  Done done_;
  bool taught_ = false;
  int repeated_ = 0;
};

/// A stream of lines, and its second try after a 401.
class VaultConnection::Lines final : public Attempts, public std::enable_shared_from_this<Lines> {
 public:
  Lines(VaultConnection* connection, const api::Route& route, LineEvents events);
  void Start() { Attempt(); }

 private:
  void Attempt();
  void Head(const HttpResponse& response);
  void Chunk(std::string_view bytes);
  void Ended(Status status);
  void Finish(Status status);

  VaultConnection* const connection_;
  const api::Route& route_;
  LineEvents events_;
  bool taught_ = false;
  HttpResponse refused_;  ///< status 200 unless it was refused; then its body as far as it is of use
  std::string partial_;
};

}  // namespace grantfs
