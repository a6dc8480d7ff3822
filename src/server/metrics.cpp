#include <algorithm>
#include <sstream>

#include "metrics_internal.h"

namespace grantfs {
namespace {

class CountingResponder final : public Responder {
 public:
  CountingResponder(RequestCounts& counts, std::size_t route, std::shared_ptr<Responder> inner)
      : counts_(counts), route_(route), inner_(std::move(inner)) {}
  ~CountingResponder() override {
    if (!answered_) counts_.Add(route_, 500);  // as the one within answers then
  }
  void Send(HttpResponse response) override {
    Count(response.status);
    inner_->Send(std::move(response));
  }
  std::shared_ptr<ResponseStream> Stream(HttpResponse head) override {
    Count(head.status);
    return inner_->Stream(std::move(head));
  }

 private:
  void Count(int status) {
    answered_ = true;
    counts_.Add(route_, status);
  }
  RequestCounts& counts_;
  const std::size_t route_;
  const std::shared_ptr<Responder> inner_;
  std::atomic<bool> answered_{false};
};

std::size_t IndexOf(int status) {
  const auto& all = RequestCounts::kStatuses;
  const auto at = std::find(all.begin(), all.end(), status);
  return at == all.end() ? all.size() - 1 : static_cast<std::size_t>(at - all.begin());
}

class Exposition {
 public:
  void Begin(const char* name, const char* type, const char* help) {
    name_ = name;
    out_ << "# HELP " << name << " " << help << "\n# TYPE " << name << " " << type << "\n";
  }
  void Sample(const std::string& labels, std::uint64_t value) {
    out_ << name_ << (labels.empty() ? "" : "{" + labels + "}") << " " << value << "\n";
  }
  void One(const char* name, const char* type, const char* help, std::uint64_t value) {
    Begin(name, type, help);
    Sample("", value);
  }
  std::string Text() const { return out_.str(); }

 private:
  const char* name_ = "";
  std::ostringstream out_;
};

std::string Label(const char* name, const std::string& value) {
  std::string text = std::string(name) + "=\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    if (c != '\n') text += c;
  }
  return text + "\"";
}

std::string StatusLabel(int status) {
  return Label("status", status == 0 ? "other" : std::to_string(status));
}

void WriteRequests(Exposition& out, const RequestCounts& counts) {
  out.Begin("grantfs_requests_total", "counter",
            "Requests by route and status; route none: not authenticated, or no such route.");
  for (std::size_t route = 0; route <= RequestCounts::kNoRoute; ++route) {
    const std::string path = route == RequestCounts::kNoRoute ? "none" : api::kRoutes[route]->path;
    const std::string method = route == RequestCounts::kNoRoute ? "" : api::kRoutes[route]->method;
    for (const int status : RequestCounts::kStatuses) {
      const std::uint64_t count = counts.Get(route, status);
      if (count == 0 && status != 200) continue;  // each route has one from the start
      out.Sample(Label("route", path) + "," + Label("method", method) + "," + StatusLabel(status), count);
    }
  }
}

std::uint64_t Sum(const RequestCounts& counts, int from, int to) {
  std::uint64_t sum = 0;
  for (std::size_t route = 0; route < RequestCounts::kNoRoute; ++route) {
    if (api::kRoutes[route] != &api::kMachineRead && api::kRoutes[route] != &api::kSecretValue) continue;
    for (const int status : RequestCounts::kStatuses)
      if (status >= from && status < to) sum += counts.Get(route, status);
  }
  return sum;
}

void WriteReads(Exposition& out, const RequestCounts& counts) {
  out.Begin("grantfs_reads_total", "counter",
            "Reads of values, by machines and people, by what came of them.");
  out.Sample(Label("outcome", "delivered"), Sum(counts, 200, 300));
  out.Sample(Label("outcome", "refused"), Sum(counts, 400, 500));
  out.Sample(Label("outcome", "failed"), Sum(counts, 500, 600));
}

void WriteStore(Exposition& out, const StoreFigures& store, bool nearly_full) {
  out.One("grantfs_commits_total", "counter", "Groups of changes that were committed.", store.commits);
  out.One("grantfs_committed_jobs_total", "counter", "Changes in them; by commits: how large groups are.",
          store.jobs);
  out.One("grantfs_failed_commits_total", "counter", "Commits that failed.", store.failures);
  out.One("grantfs_queued_jobs", "gauge", "Changes that wait for the disk.", store.queued);
  out.One("grantfs_database_bytes", "gauge", "Size of the database file.", store.database_bytes);
  out.One("grantfs_disk_free_bytes", "gauge", "What is free on the vault's disk.", store.disk_free_bytes);
  out.One("grantfs_disk_nearly_full", "gauge",
          "1: machines keep what they served under leases until there is room.", nearly_full ? 1 : 0);
}

}  // namespace

std::size_t RequestCounts::RouteOf(const HttpRequest& request) {
  const auto found =
      std::find_if(std::begin(api::kRoutes), std::end(api::kRoutes), [&](const api::Route* route) {
        return request.path == route->path && request.method == route->method;
      });
  return static_cast<std::size_t>(found - std::begin(api::kRoutes));
}

void RequestCounts::Add(std::size_t route, int status) {
  counts_[route][IndexOf(status)].fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t RequestCounts::Get(std::size_t route, int status) const {
  return counts_[route][IndexOf(status)].load(std::memory_order_relaxed);
}

std::shared_ptr<Responder> RequestCounts::Counting(std::size_t route, std::shared_ptr<Responder> responder) {
  return std::make_shared<CountingResponder>(*this, route, std::move(responder));
}

std::string MetricsText(const RequestCounts& counts, const Vault::Figures& figures,
                        const std::string& version, std::int64_t started) {
  Exposition out;
  out.Begin("grantfs_build_info", "gauge", "1, with the program's version.");
  out.Sample(Label("version", version), 1);
  out.One("grantfs_start_time_seconds", "gauge", "When serving began.", static_cast<std::uint64_t>(started));
  WriteRequests(out, counts);
  WriteReads(out, counts);
  out.One("grantfs_failed_authentications_total", "counter", "Requests that no known key had signed.",
          figures.failed_authentications);
  out.One("grantfs_audit_records", "gauge", "Records in the audit log.", figures.audit_records);
  out.One("grantfs_watches", "gauge", "Open streams of changes: mounts and people that listen.",
          figures.watches);
  out.Begin("grantfs_frozen", "gauge", "What is frozen.");
  out.Sample(Label("kind", "machine"), figures.frozen_machines);
  out.Sample(Label("kind", "environment"), figures.frozen_environments);
  WriteStore(out, figures.store, figures.nearly_full);
  return out.Text();
}

}  // namespace grantfs
