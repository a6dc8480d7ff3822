#include "table_internal.h"
#include "tls_words_internal.h"

namespace grantfs {
namespace {

std::string StateOf(const TlsKeys& keys, const Hash& pin) {
  if (pin == keys.shown) return "shown";
  return keys.next && pin == *keys.next ? "ready" : "not the server's";
}

void OutTable(Context& context, const TlsKeys& keys) {
  Table table({"CLIENTS", "PIN", "SINCE", "SERVER"});
  bool shown_listed = false;
  bool next_listed = false;
  for (std::size_t i = 0; i < keys.listed.size(); ++i) {
    const auto& one = keys.listed[i];
    table.Add({i == 0 ? "current" : "next", one.pin.Hex(), TimeCell(one.since), StateOf(keys, one.pin)});
    shown_listed = shown_listed || one.pin == keys.shown;
    next_listed = next_listed || (keys.next && one.pin == *keys.next);
  }
  if (!shown_listed) table.Add({"refuse", keys.shown.Hex(), "", "shown"});
  if (keys.next && !next_listed) table.Add({"refuse", keys.next->Hex(), TimeCell(keys.made), "made"});
  context.terminal.Out(table.Text());
}

}  // namespace

void OutTlsKeys(Context& context, const TlsKeys& keys) {
  if (!context.json()) return OutTable(context, keys);
  Json listed = Json::Array();
  for (const auto& one : keys.listed)
    listed.Append(Json::Object({{"pin", one.pin.Hex()}, {"since", one.since}}));
  Json json = Json::Object({{"listed", std::move(listed)}, {"shown", keys.shown.Hex()}});
  if (keys.next) json.Set("next", keys.next->Hex()).Set("made", keys.made);
  context.terminal.OutJson(json);
}

Result<Hash> ParsePin(const std::string& text) {
  const auto pin = Hash::FromHex(text);
  if (pin) return *pin;
  return Error{Code::kInvalid,
               "is no pin: 64 hexadecimal digits, as grantfs tls pin on the vault's host prints it", 0,
               text.substr(0, 80)};
}

}  // namespace grantfs
