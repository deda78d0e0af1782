// Escapes of ECMA-48 and xterm.
#include "cli/demo/terminal.h"

#include <cerrno>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

namespace lightship::cli {
namespace {

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = to_lower(environment(name));
    if (!value.empty()) return value.contains("utf-8") || value.contains("utf8");
  }
  return false;
}

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

bool has_screen() {
  const auto kind = environment("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && !kind.empty() && kind != "dumb";
}

Terminal::Terminal() {
  termios now{};
  // In the background the keyboard belongs to others.
  if (::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp() &&
      ::tcgetattr(STDIN_FILENO, &now) == 0) {
    keyboard_ = now;
    now.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
    now.c_cc[VMIN] = 0;
    now.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &now);
  }
  write_all(kEnter);
}

Terminal::~Terminal() {
  write_all(kLeave);
  if (keyboard_) ::tcsetattr(STDIN_FILENO, TCSANOW, &*keyboard_);
}

Look Terminal::look() const {
  Look look;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    look.width = size.ws_col;
    look.height = size.ws_row;
  }
  look.colour = environment("NO_COLOR").empty();
  look.unicode = speaks_utf8();
  return look;
}

bool Terminal::show(const std::vector<std::string>& lines) {
  std::string frame = "\x1b[?2026h\x1b[H";  // shown at once where the terminal knows how
  for (std::size_t at = 0; at < lines.size(); ++at) {
    frame += lines[at];
    frame += at + 1 < lines.size() ? "\x1b[K\r\n" : "\x1b[K";
  }
  return write_all(frame + "\x1b[J\x1b[?2026l");
}

std::optional<char> Terminal::key() {
  char pressed = 0;
  if (keyboard_ && ::read(STDIN_FILENO, &pressed, 1) == 1) return pressed;
  return std::nullopt;
}

}  // namespace lightship::cli
