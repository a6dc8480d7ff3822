// Reads straight at a vault, as a machine's mount would ask for them: each signed, over TLS, durably recorded
// before it is answered.
//
//   vault_load HOME SECRET SERVER_PID SECONDS CONNECTIONS...
//
// Prints for each number of connections two lines. The first is of a closed loop, with as many requests under
// way as connections: what the vault can do. The second is of an open loop at half that rate: requests fall
// due at random moments (a Poisson process) that no answer delays, and the time of each counts from when it
// was due, so that a stall is felt by all that fell due meanwhile (else it would be one slow answer:
// "coordinated omission"). Columns: reads a second, p50, p99 and p99.9 in milliseconds, and CPU time a read
// of server and client.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>

#include "grantfs/api/machine.h"
#include "grantfs/api/routes.h"
#include "grantfs/client/home.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"
#include "grantfs/httpsig/signature.h"
#include "grantfs/net/http_client.h"
#include "grantfs/util/clock.h"

namespace grantfs {
namespace {

using Ticks = std::chrono::steady_clock;

[[noreturn]] void Fail(const std::string& why) {
  std::fprintf(stderr, "vault_load: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result) Fail(Describe(result.error()));
  return std::move(*result);
}

// User and system time of a process so far, in microseconds.
double CpuMicroseconds(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string line;
  std::getline(file, line);
  line = line.substr(line.rfind(')') + 2);
  unsigned long user = 0;
  unsigned long system = 0;
  if (std::sscanf(line.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
    Fail("cannot read the CPU time of process " + pid);
  }
  return static_cast<double>(user + system) * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

class Machine {
 public:
  explicit Machine(const std::string& home_directory)
      : home_(Must(Home::Open(home_directory))), identity_(Must(home_.LoadIdentity())) {}

  void Connect(std::size_t connections) {
    HttpClientOptions options;
    options.server = home_.profile().address;
    options.pins = home_.profile().pins;
    options.max_connections = connections;
    client_ = Must(HttpClient::Create(options));
  }

  HttpRequest Signed(const api::Route& route, const Json& body) const {
    HttpRequest request;
    request.method = route.method;
    request.path = route.path;
    request.authority = home_.profile().address.Authority();
    request.body = body.Dump();
    request.headers =
        Must(SignRequest({request.method, request.authority, request.path, request.query, request.body},
                         home_.profile().vault.Hex(), instance_, SystemClock().WallSeconds(),
                         identity_.Id().Hex(), identity_.signing_key()));
    return request;
  }

  // Learns the server's instance from its first refusal, then the secret's number.
  std::uint64_t FindSecret(const std::string& name) {
    const auto ask = [&] {
      return Must(client_->SendAndWait(Signed(api::kMachineGrants, api::GrantsRequest{}.ToJson()), {}));
    };
    HttpResponse answer = ask();
    for (const HttpHeader& header : answer.headers) {
      if (header.name == kInstanceHeader) instance_ = header.value;
    }
    answer = ask();
    if (answer.status != 200)
      Fail("the vault answered " + std::to_string(answer.status) + ": " + answer.body);
    const auto grants = Must(api::GrantsResponse::FromJson(Must(ParseJson(answer.body))));
    for (const auto& grant : grants.grants) {
      if (grant.environment + "/" + grant.path == name) return grant.secret;
    }
    Fail("the machine is not granted " + name);
  }

  HttpClient& client() { return *client_; }

 private:
  Home home_;
  PrivateIdentity identity_;
  std::string instance_ = std::string(32, '0');
  std::unique_ptr<HttpClient> client_;
};

// Reads that were sent, and the times of those that were answered.
class Load {
 public:
  Load(Machine& machine, std::uint64_t secret) : machine_(machine), secret_(secret) {}

  // Each answer brings the next request, until the time is over. Milliseconds of each.
  std::vector<double> Closed(std::size_t connections, double seconds) {
    end_ = Ticks::now() + Duration(seconds);
    for (std::size_t i = 0; i < connections; ++i) Send(Ticks::now());
    return AllAnswered();
  }

  // At `rate` a second, whatever the answers do. Milliseconds of each since it was due.
  std::vector<double> Open(double rate, double seconds) {
    const auto begin = Ticks::now();
    end_ = begin;
    for (double due = Gap(rate); due < seconds; due += Gap(rate)) {
      WaitUntil(begin + Duration(due));
      Send(begin + Duration(due));
    }
    return AllAnswered();
  }

 private:
  static Ticks::duration Duration(double seconds) {
    return std::chrono::duration_cast<Ticks::duration>(std::chrono::duration<double>(seconds));
  }

  // Seconds to the next moment of a Poisson process of `rate` a second: exponentially distributed.
  static double Gap(double rate) {
    const Bytes random = RandomBytes(sizeof(std::uint64_t));
    std::uint64_t number = 0;
    std::memcpy(&number, random.data(), sizeof(number));
    const double above_zero = (static_cast<double>(number >> 11) + 1) * 0x1p-53;  // 53 bits: (0, 1]
    return -std::log(above_zero) / rate;
  }

  // Answers come meanwhile; none of them ends the wait.
  void WaitUntil(Ticks::time_point due) {
    std::unique_lock lock(mutex_);
    while (due_.wait_until(lock, due) != std::cv_status::timeout) continue;
  }

  void Send(Ticks::time_point due) {
    api::ReadRequest read;
    read.secret = secret_;
    read.open = HexEncode(RandomBytes(16));
    {
      const std::lock_guard lock(mutex_);
      ++under_way_;
    }
    machine_.client().Send(
        machine_.Signed(api::kMachineRead, read.ToJson()), {}, [this, due](Result<HttpResponse> answer) {
          if (!answer) Fail(Describe(answer.error()));
          if (answer->status != 200)
            Fail("the vault answered " + std::to_string(answer->status) + ": " + answer->body);
          Answered(due);
        });
  }

  void Answered(Ticks::time_point due) {
    const auto now = Ticks::now();
    if (now < end_) Send(now);
    const std::lock_guard lock(mutex_);
    milliseconds_.push_back(std::chrono::duration<double, std::milli>(now - due).count());
    if (--under_way_ == 0) finished_.notify_one();
  }

  std::vector<double> AllAnswered() {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return under_way_ == 0; });
    return std::move(milliseconds_);
  }

  Machine& machine_;
  const std::uint64_t secret_;
  Ticks::time_point end_;  // closed: nothing is sent after it
  std::mutex mutex_;
  std::condition_variable finished_;
  std::condition_variable due_;  // nobody notifies it
  std::size_t under_way_ = 0;
  std::vector<double> milliseconds_;
};

// Runs `load`, prints its line and returns its reads a second.
template <typename Run>
double Measure(std::size_t connections, const char* loop, const std::string& server, Run run) {
  const double server_before = CpuMicroseconds(server);
  const double client_before = CpuMicroseconds("self");
  const auto begin = Ticks::now();
  auto times = run();
  const double seconds = std::chrono::duration<double>(Ticks::now() - begin).count();
  if (times.empty()) Fail("no read was answered in the time");
  const auto count = static_cast<double>(times.size());
  const double server_cpu = (CpuMicroseconds(server) - server_before) / count;
  const double client_cpu = (CpuMicroseconds("self") - client_before) / count;
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) {
    return times[std::min(times.size() - 1, static_cast<std::size_t>(part * count))];
  };
  std::printf("%-12zu %-7s %9.0f %9.2f %9.2f %9.2f %15.1f %15.1f\n", connections, loop, count / seconds,
              at(0.5), at(0.99), at(0.999), server_cpu, client_cpu);
  std::fflush(stdout);
  return count / seconds;
}

int Main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: vault_load HOME SECRET SERVER_PID SECONDS CONNECTIONS...\n");
    return 2;
  }
  if (auto started = InitCrypto(); !started) Fail(Describe(started.error()));
  Machine machine(argv[1]);
  const std::string server = argv[3];
  const double seconds = std::atof(argv[4]);
  std::printf("%-12s %-7s %9s %9s %9s %9s %15s %15s\n", "connections", "loop", "reads/s", "p50 ms", "p99 ms",
              "p99.9 ms", "server us/read", "client us/read");
  for (int i = 5; i < argc; ++i) {
    const auto connections = static_cast<std::size_t>(std::atoi(argv[i]));
    machine.Connect(connections);
    const std::uint64_t secret = machine.FindSecret(argv[2]);
    Load(machine, secret).Closed(connections, 0.5);  // connections made, caches warm
    const double rate = Measure(connections, "closed", server,
                                [&] { return Load(machine, secret).Closed(connections, seconds); });
    Measure(connections, "open", server, [&] { return Load(machine, secret).Open(rate / 2, seconds); });
  }
  return 0;
}

}  // namespace
}  // namespace grantfs

int main(int argc, char** argv) { return grantfs::Main(argc, argv); }
