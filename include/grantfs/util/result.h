#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

namespace grantfs {

/// What kind of failure an operation ended in. One exhaustive switch a boundary turns it into an errno
/// (mount), an HTTP status (server) or an exit code (cli).
enum class Code {
  kInvalid,      ///< the input is malformed or out of bounds
  kDenied,       ///< known, but not allowed
  kNotFound,     ///< no such thing, or not visible to the caller
  kExpired,      ///< was good once: an invitation, a grant
  kConflict,     ///< the state moved on, or the thing exists already
  kUnreachable,  ///< the peer did not answer, or not in time
  kThrottled,    ///< too many requests
  kUnrecorded,   ///< the audit record could not be made durable, so nothing was released
  kIntegrity,    ///< forged, tampered, forked, rolled back or undecryptable
  kUnauthentic,  ///< the peer does not accept our key or signature
  kUnsupported,  ///< well formed, but this program cannot enforce it
  kCancelled,    ///< the caller gave up
  kNoSpace,      ///< a disk or a fixed bound is full
  kIo,           ///< the operating system failed; `sys` says how
};

/// The stable lower-case name of a code, as it stands in logs and problem documents ("not-found").
const char* CodeName(Code code);

/// A failure as a value.
///
/// `where` is a string literal that reads as the reason ("the signature does not match"); `subject` is what
/// it happened to: a path, a sequence number, a host. Neither ever holds bytes of a value or of a key.
struct Error {
  Code code = Code::kIo;
  const char* where = "";
  int sys = 0;  ///< errno, or 0
  std::string subject = {};
};

/// One line for people: "subject: where (strerror)".
std::string Describe(const Error& error);

/// A value or an Error, with the member names of std::expected. T may be move-only.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() & { return Checked(); }
  const T& value() const& { return const_cast<Result*>(this)->Checked(); }
  T&& value() && { return std::move(Checked()); }
  T& operator*() & { return Checked(); }
  const T& operator*() const& { return const_cast<Result*>(this)->Checked(); }
  T&& operator*() && { return std::move(Checked()); }
  T* operator->() { return &Checked(); }
  const T* operator->() const { return &const_cast<Result*>(this)->Checked(); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  T& Checked() {
    if (!has_value()) std::abort();  // a broken invariant, not an outcome
    return std::get<0>(state_);
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT: implicit by design
  bool has_value() const { return ok_; }
  explicit operator bool() const { return ok_; }
  void value() const {
    if (!ok_) std::abort();
  }
  void operator*() const { value(); }
  const Error& error() const { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

using Status = Result<void>;

/// Evaluates a Result: yields its value, or returns its Error from the enclosing function. (A name of its own
/// for each use, so that one may stand within another.)
#define GRANTFS_TRY(expr) GRANTFS_TRY_1(expr, __COUNTER__)
#define GRANTFS_TRY_1(expr, number) GRANTFS_TRY_2(expr, number)
#define GRANTFS_TRY_2(expr, number)                               \
  __extension__({                                                 \
    auto try_result_##number = (expr);                            \
    if (!try_result_##number) return try_result_##number.error(); \
    *std::move(try_result_##number);                              \
  })

/// The same for a Status, as a statement.
#define GRANTFS_CHECK(expr)                                                        \
  do {                                                                             \
    if (auto check_status_ = (expr); !check_status_) return check_status_.error(); \
  } while (false)

}  // namespace grantfs
