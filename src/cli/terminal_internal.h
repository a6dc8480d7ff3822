#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "grantfs/client/options.h"
#include "grantfs/json/json.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// The program's three standard streams, and the only file that writes to them. Results go to standard
/// output, exactly as given; talk (what happened, what to do next, how far work is) goes to standard error,
/// so that a pipe carries the result alone. Threads: one.
class Terminal {
 public:
  Terminal(int in, int out, int err);

  int in() const { return in_; }
  bool InIsTerminal() const { return in_is_terminal_; }
  bool OutIsTerminal() const { return out_is_terminal_; }
  bool ErrIsTerminal() const { return err_is_terminal_; }

  /// Writes to standard output. A failure is kept for OutStatus(), and nothing more is written.
  void Out(std::string_view text);
  void Out(std::span<const std::uint8_t> bytes);
  /// What Printable makes of a line, and a newline: names come from wherever they come.
  void OutLine(std::string_view line);
  /// One document, indented, with a newline.
  void OutJson(const Json& document);
  /// Errors: kCancelled where the reader has gone, kIo, kNoSpace.
  Status OutStatus() const { return out_status_; }

  /// A line of talk: what Printable makes of it.
  void Note(std::string_view line);
  /// Talk exactly as given: a prompt without its newline.
  void Say(std::string_view text);

  /// Overwrites one line of standard error, where that is a terminal.
  void ShowProgress(const Progress& progress);
  void EndProgress();

 private:
  int in_, out_, err_;
  bool in_is_terminal_, out_is_terminal_, err_is_terminal_;
  Status out_status_;
  std::size_t progress_width_ = 0;
};

}  // namespace grantfs
