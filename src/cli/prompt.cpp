#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "prompt_internal.h"

namespace grantfs {
namespace {

// Byte by byte, without echo and signals, so that every way out sets the terminal right again.
class QuietTerminal {
 public:
  explicit QuietTerminal(int fd) : fd_(fd) {
    if (::tcgetattr(fd, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    changed_ = ::tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
  }
  ~QuietTerminal() {
    if (changed_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  bool changed() const { return changed_; }

 private:
  int fd_;
  termios before_{};
  bool changed_ = false;
};

constexpr std::uint8_t kInterrupt = 0x03, kEnd = 0x04, kBackspace = 0x08, kKillLine = 0x15, kDelete = 0x7f;

// A byte, or -1 at the end.
Result<int> ReadByte(int fd) {
  for (;;) {
    std::uint8_t byte = 0;
    const ssize_t got = ::read(fd, &byte, 1);
    if (got == 1) return int{byte};
    if (got == 0) return -1;
    if (errno != EINTR) return Error{Code::kIo, "could not be read", errno, "the terminal"};
  }
}

std::size_t WithoutLastCharacter(std::span<const std::uint8_t> line, std::size_t size) {
  while (size > 0 && (line[size - 1] & 0xC0) == 0x80) --size;
  return size > 0 ? size - 1 : 0;
}

Result<SecretMemory> ReadQuietLine(int fd) {
  SecretMemory buffer = GRANTFS_TRY(SecretMemory::Allocate(kMaxPromptBytes));
  const auto line = buffer.Expose();
  std::size_t size = 0;
  for (;;) {
    const int byte = GRANTFS_TRY(ReadByte(fd));
    if (byte == kInterrupt) return Error{Code::kCancelled, "interrupted"};
    if (byte == -1 || byte == kEnd || byte == '\n' || byte == '\r') return FirstBytes(buffer, size);
    if (byte == kBackspace || byte == kDelete) {
      size = WithoutLastCharacter(line, size);
    } else if (byte == kKillLine) {
      size = 0;
    } else if (size == line.size()) {
      return Error{Code::kInvalid, "the line is too long to be typed; use --file FILE or standard input"};
    } else {
      line[size++] = static_cast<std::uint8_t>(byte);
    }
  }
}

}  // namespace

Result<SecretMemory> PromptForSecret(Terminal& terminal, const std::string& prompt) {
  const QuietTerminal quiet(terminal.in());
  if (!quiet.changed())
    return Error{Code::kIo, "cannot hide what is typed; use --file FILE or standard input", errno};
  terminal.Say(prompt + " (not shown): ");
  auto line = ReadQuietLine(terminal.in());
  terminal.Say("\n");
  return line;
}

bool Confirm(Terminal& terminal, const std::string& question) {
  terminal.Say(question + " [y/N] ");
  std::string answer;
  for (;;) {
    const auto byte = ReadByte(terminal.in());
    if (!byte || *byte == -1 || *byte == '\n') break;
    if (answer.size() < 16) answer += static_cast<char>(*byte);
  }
  return answer == "y" || answer == "Y" || answer == "yes";
}

Result<SecretMemory> FirstBytes(const SecretMemory& from, std::size_t size) {
  SecretMemory part = GRANTFS_TRY(SecretMemory::Allocate(size));
  std::copy_n(from.Expose().begin(), size, part.Expose().begin());
  return part;
}

}  // namespace grantfs
