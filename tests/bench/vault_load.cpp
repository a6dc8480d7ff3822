// Reads straight at a vault, as a machine's mount would ask for them: each signed, over TLS, durably recorded
// before it is answered. A closed loop with as many requests under way as connections.
//
//   vault_load HOME SECRET SERVER_PID SECONDS CONNECTIONS...
//
// Prints for each number of connections: reads a second, p50 and p99 in milliseconds, and CPU time a read of
// server and client.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
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

// One run with a number of connections.
class Load {
 public:
  Load(Machine& machine, std::uint64_t secret, double seconds)
      : machine_(machine),
        secret_(secret),
        end_(Ticks::now() +
             std::chrono::duration_cast<Ticks::duration>(std::chrono::duration<double>(seconds))) {}

  std::vector<double> Run(std::size_t connections) {
    under_way_ = connections;
    for (std::size_t i = 0; i < connections; ++i) Next();
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return under_way_ == 0; });
    return std::move(milliseconds_);
  }

 private:
  void Next() {
    api::ReadRequest read;
    read.secret = secret_;
    read.open = HexEncode(RandomBytes(16));
    const auto begin = Ticks::now();
    machine_.client().Send(
        machine_.Signed(api::kMachineRead, read.ToJson()), {}, [this, begin](Result<HttpResponse> answer) {
          if (!answer) Fail(Describe(answer.error()));
          if (answer->status != 200)
            Fail("the vault answered " + std::to_string(answer->status) + ": " + answer->body);
          Finished(begin);
        });
  }

  void Finished(Ticks::time_point begin) {
    const auto now = Ticks::now();
    bool again = now < end_;
    {
      const std::lock_guard lock(mutex_);
      milliseconds_.push_back(std::chrono::duration<double, std::milli>(now - begin).count());
      if (!again && --under_way_ == 0) finished_.notify_one();
    }
    if (again) Next();
  }

  Machine& machine_;
  const std::uint64_t secret_;
  const Ticks::time_point end_;
  std::mutex mutex_;
  std::condition_variable finished_;
  std::size_t under_way_ = 0;
  std::vector<double> milliseconds_;
};

int Main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: vault_load HOME SECRET SERVER_PID SECONDS CONNECTIONS...\n");
    return 2;
  }
  if (auto started = InitCrypto(); !started) Fail(Describe(started.error()));
  Machine machine(argv[1]);
  std::printf("%-12s %10s %10s %10s %16s %16s\n", "connections", "reads/s", "p50 ms", "p99 ms",
              "server us/read", "client us/read");
  for (int i = 5; i < argc; ++i) {
    const auto connections = static_cast<std::size_t>(std::atoi(argv[i]));
    machine.Connect(connections);
    const std::uint64_t secret = machine.FindSecret(argv[2]);
    Load(machine, secret, 0.5).Run(connections);  // connections made, caches warm
    const double server = CpuMicroseconds(argv[3]);
    const double client = CpuMicroseconds("self");
    const auto begin = Ticks::now();
    auto times = Load(machine, secret, std::atof(argv[4])).Run(connections);
    const double seconds = std::chrono::duration<double>(Ticks::now() - begin).count();
    const auto count = static_cast<double>(times.size());
    std::sort(times.begin(), times.end());
    const auto at = [&](double part) {
      return times[std::min(times.size() - 1, static_cast<std::size_t>(part * count))];
    };
    std::printf("%-12zu %10.0f %10.2f %10.2f %16.1f %16.1f\n", connections, count / seconds, at(0.5),
                at(0.99), (CpuMicroseconds(argv[3]) - server) / count,
                (CpuMicroseconds("self") - client) / count);
  }
  return 0;
}

}  // namespace
}  // namespace grantfs

int main(int argc, char** argv) { return grantfs::Main(argc, argv); }
