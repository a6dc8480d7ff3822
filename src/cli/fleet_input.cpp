#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fleet_input_internal.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/bytes.h"
#include "grantfs/util/unique_fd.h"
#include "prompt_internal.h"

namespace grantfs {
namespace {

Result<std::string> ReadText(int fd, std::size_t max_bytes) {
  std::string text;
  std::array<char, 16 * 1024> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{Code::kIo, "could not be read", errno, "standard input"};
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > max_bytes)
      return Error{Code::kInvalid, "there is more on standard input than belongs here"};
  }
}

std::string Trimmed(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
}

}  // namespace

Result<std::vector<std::string>> ReadPlainLines(Terminal& terminal, const std::string& file,
                                                std::size_t max_bytes) {
  int fd = terminal.in();
  UniqueFd opened;
  if (!file.empty()) {
    opened = UniqueFd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened)
      return Error{errno == ENOENT ? Code::kNotFound : Code::kIo, "could not be opened", errno, file};
    fd = opened.get();
  }
  const std::string text = GRANTFS_TRY(ReadText(fd, max_bytes));
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (std::string line = Trimmed(std::string_view(text).substr(at, end - at)); !line.empty())
      lines.push_back(std::move(line));
    at = end + 1;
  }
  return lines;
}

std::string NameOfHost() {
  std::array<char, 256> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return {};
  std::string name(buffer.data());
  name = name.substr(0, name.find('.'));
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return CheckIdentityName(name) ? name : std::string();
}

Result<bool> ConfirmOnTerminal(Terminal& terminal, const std::string& question, const char* otherwise) {
  if (terminal.InIsTerminal()) return Confirm(terminal, question);
  const UniqueFd tty(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!tty) return Error{Code::kInvalid, otherwise};
  Terminal own(tty.get(), tty.get(), tty.get());
  return Confirm(own, question);
}

}  // namespace grantfs
