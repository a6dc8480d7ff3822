#include "endpoints_internal.h"

namespace grantfs {
namespace {

constexpr char kLinesType[] = "application/x-ndjson";

/// Becomes a stream with its first line, so that a refusal before that is an ordinary response.
class StreamSink final : public WatchSink {
 public:
  explicit StreamSink(std::shared_ptr<Responder> responder) : responder_(std::move(responder)) {}

  // The first call happens before any other thread knows of the sink.
  bool Send(const std::string& line) override {
    if (stream_ != nullptr) return stream_->Write(line);
    stream_ = responder_->Stream({200, {{"content-type", kLinesType}}, line});
    return stream_ != nullptr;
  }
  void Close() override {
    if (stream_ != nullptr) stream_->Close();
  }
  const std::shared_ptr<ResponseStream>& stream() const { return stream_; }
  bool begun() const { return stream_ != nullptr; }

 private:
  std::shared_ptr<Responder> responder_;
  std::shared_ptr<ResponseStream> stream_;
};

}  // namespace

Result<Json> ParseBody(const HttpRequest& request) {
  if (request.body.empty()) return Json::Object();
  return ParseJson(request.body, {.max_bytes = kMaxRequestBytes});
}

HttpResponse JsonResponse(const Json& json) {
  return {200, {{"content-type", "application/json"}}, json.Dump()};
}

void HandleWatch(RouteCall call) {
  if (!call.request.body.empty())
    return call.responder->Send(ProblemResponse({Code::kInvalid, "a watch has no body"}));
  auto sink = std::make_shared<StreamSink>(call.responder);
  const auto watch = call.vault.Watch(call.caller, sink);
  if (!watch) {
    if (!sink->begun()) call.responder->Send(ProblemResponse(watch.error()));
    return sink->Close();
  }
  sink->stream()->OnClosed([&vault = call.vault, number = *watch] { vault.Unwatch(number); });
}

}  // namespace grantfs
