#include "alert_words_internal.h"
#include "grantfs/util/clock.h"
#include "table_internal.h"

namespace grantfs {

Json AlertSinksJson(const std::vector<AlertSinkInfo>& sinks) {
  Json list = Json::Array();
  for (const AlertSinkInfo& one : sinks)
    list.Append(Json::Object({{"sink", one.sink},
                              {"waiting", one.waiting},
                              {"delivered", one.delivered},
                              {"failures", one.failures},
                              {"since", one.failures != 0 ? one.since : 0},
                              {"error", one.error}}));
  return list;
}

std::string AlertSinkSentence(const AlertSinkInfo& sink) {
  if (sink.failures == 0)
    return sink.sink + (sink.waiting == 0 ? ": all alerts were delivered"
                                          : ": " + Count(sink.waiting, "alert") + " to be delivered");
  return sink.sink + ": " + Count(sink.waiting, "alert") + " to be delivered, in vain since " +
         FormatTime(sink.since) + ": " + sink.error;
}

void NoteFailedAlerts(Terminal& terminal, const std::vector<AlertSinkInfo>& sinks) {
  for (const AlertSinkInfo& sink : sinks)
    if (sink.failures != 0) terminal.Note("alerts do not arrive: " + AlertSinkSentence(sink));
}

}  // namespace grantfs
