#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "grantfs/util/unique_fd.h"
#include "prompt_internal.h"
#include "secret_io_internal.h"
#include "text_cursor_internal.h"

namespace grantfs {
namespace {

Result<SecretMemory> FromFile(const std::string& path, std::size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return Error{errno == ENOENT ? Code::kNotFound : Code::kIo, "could not be opened", errno, path};
  auto read = ReadSecret(fd.get(), max_bytes);
  if (!read && read.error().subject.empty())
    return Error{read.error().code, read.error().where, read.error().sys, path};
  return read;
}

Result<SecretMemory> FromPrompt(Terminal& terminal, const SecretInput& input) {
  SecretMemory first = GRANTFS_TRY(PromptForSecret(terminal, input.prompt));
  if (!input.twice) return first;
  const SecretMemory again = GRANTFS_TRY(PromptForSecret(terminal, "the same again"));
  if (first.Equals(again)) return first;
  return Error{Code::kInvalid, "the two lines differ; nothing was done"};
}

std::span<const std::uint8_t> Trimmed(const SecretMemory& line) {
  auto bytes = line.Expose();
  while (!bytes.empty() && (bytes.back() == '\n' || bytes.back() == '\r'))
    bytes = bytes.first(bytes.size() - 1);
  return bytes;
}

bool IsPlain(std::uint8_t byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         byte == '.' || byte == '_' || byte == '-';
}

Result<SecretMemory> Base64(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  SecretMemory encoded = GRANTFS_TRY(SecretMemory::Allocate((bytes.size() + 2) / 3 * 4));
  const auto out = encoded.Expose();
  for (std::size_t i = 0, at = 0; i < bytes.size(); i += 3, at += 4) {
    const auto byte = [&bytes, i](std::size_t k) {
      return i + k < bytes.size() ? std::uint32_t{bytes[i + k]} : 0u;
    };
    const std::uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (std::size_t k = 0; k < 4; ++k)
      out[at + k] =
          static_cast<std::uint8_t>(i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63]);
  }
  return encoded;
}

// The secret goes to standard output in the middle of the document: no string holds it.
void OutJsonAround(Terminal& terminal, const Json& document, const std::string& name,
                   std::span<const std::uint8_t> text) {
  Json with = document;
  with.Set(name, "");
  const std::string whole = with.DumpPretty();
  const std::size_t hole = whole.rfind("\"\"") + 1;
  terminal.Out(std::string_view(whole).substr(0, hole));
  terminal.Out(text);
  terminal.Out(std::string_view(whole).substr(hole));
  terminal.Out("\n");
}

void OutBytes(Terminal& terminal, std::span<const std::uint8_t> bytes) {
  terminal.Out(bytes);
  const bool ends = !bytes.empty() && bytes.back() == '\n';
  if (terminal.OutIsTerminal() && !ends) {
    terminal.Say("\n");
    terminal.Note("grantfs: that was all, there is no newline at its end");
  }
}

}  // namespace

Result<SecretMemory> ReadSecretInput(Terminal& terminal, const SecretInput& input) {
  if (input.file.empty() && terminal.InIsTerminal()) return FromPrompt(terminal, input);
  auto read =
      input.file.empty() ? ReadSecret(terminal.in(), input.max_bytes) : FromFile(input.file, input.max_bytes);
  if (!read && read.error().code == Code::kInvalid)
    return Error{Code::kInvalid, input.too_large, 0, input.file};
  return read;
}

bool EndsInNewline(const SecretMemory& secret) { return secret.size() > 0 && secret.Expose().back() == '\n'; }

Result<SecretMemory> WithoutNewlines(const SecretMemory& secret) { return Copied(Trimmed(secret)); }

void OutSecret(Terminal& terminal, const SecretMemory& secret) { OutBytes(terminal, secret.Expose()); }
void OutSecret(Terminal& terminal, const SecretValue& value) { OutBytes(terminal, value.Expose()); }

void OutSecretLine(Terminal& terminal, const SecretMemory& line) {
  terminal.Out(Trimmed(line));
  terminal.Out("\n");
}

Status OutJsonWithLine(Terminal& terminal, const Json& document, const std::string& name,
                       const SecretMemory& line) {
  const auto text = Trimmed(line);
  if (!std::all_of(text.begin(), text.end(), IsPlain))
    return Error{Code::kInvalid, "the line is not plain text"};
  OutJsonAround(terminal, document, name, text);
  return {};
}

Status OutJsonWithValue(Terminal& terminal, const Json& document, const std::string& name,
                        const SecretValue& value) {
  const SecretMemory encoded = GRANTFS_TRY(Base64(value.Expose()));
  OutJsonAround(terminal, document, name, encoded.Expose());
  return {};
}

}  // namespace grantfs
