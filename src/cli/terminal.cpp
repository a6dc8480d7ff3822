#include <unistd.h>

#include <cerrno>

#include "grantfs/util/bytes.h"
#include "grantfs/util/text.h"
#include "terminal_internal.h"

namespace grantfs {
namespace {

// 0, or the errno.
int WriteAll(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

Terminal::Terminal(int in, int out, int err)
    : in_(in),
      out_(out),
      err_(err),
      in_is_terminal_(::isatty(in) == 1),
      out_is_terminal_(::isatty(out) == 1),
      err_is_terminal_(::isatty(err) == 1) {}

void Terminal::Out(std::string_view text) { Out(AsBytes(text)); }

void Terminal::Out(std::span<const std::uint8_t> bytes) {
  EndProgress();
  if (!out_status_) return;
  const int sys = WriteAll(out_, bytes);
  if (sys == 0) return;
  const Code code = sys == EPIPE ? Code::kCancelled : sys == ENOSPC ? Code::kNoSpace : Code::kIo;
  out_status_ = Error{code, "could not be written", sys, "standard output"};
}

void Terminal::OutLine(std::string_view line) { Out(Printable(line) + "\n"); }

void Terminal::OutJson(const Json& document) { Out(document.DumpPretty() + "\n"); }

void Terminal::Note(std::string_view line) { Say(Printable(line) + "\n"); }

void Terminal::Say(std::string_view text) {
  EndProgress();
  WriteAll(err_, AsBytes(text));  // there is nowhere left to tell of a failure
}

void Terminal::ShowProgress(const Progress& progress) {
  if (!err_is_terminal_) return;
  std::string line = std::string(progress.what) + " " + std::to_string(progress.done);
  if (progress.total != 0) line += " of " + std::to_string(progress.total);
  const std::size_t width = line.size();
  if (width < progress_width_) line.append(progress_width_ - width, ' ');
  WriteAll(err_, AsBytes("\r" + line));
  progress_width_ = width;
}

void Terminal::EndProgress() {
  if (progress_width_ == 0) return;
  WriteAll(err_, AsBytes("\r" + std::string(progress_width_, ' ') + "\r"));
  progress_width_ = 0;
}

}  // namespace grantfs
