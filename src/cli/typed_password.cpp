// Reads passwords; the terminal gets its echo back also when a signal ends the command.
#include "cli/typed_password.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace lightship::cli {
namespace {

constexpr std::size_t kLongest = 4096;

// Up to the line feed; nothing when the input ended before anything came.
Result<std::string> line_of(int fd) {
  std::string line;
  for (char c = 0;;) {
    const auto got = ::read(fd, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail(Errc::unavailable, "cannot read the password: {}", std::strerror(errno));
    if (got == 0 && line.empty()) return fail(Errc::invalid, "no password came");
    if (got == 0 || c == '\n') break;
    if (line.size() == kLongest) return fail(Errc::invalid, "that is no password: too long");
    line += c;
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

class QuietTerminal {
 public:
  explicit QuietTerminal(int fd) : fd_(fd) {
    // A Ctrl-C is held back until the echo is on again.
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGTSTP, SIGHUP, SIGQUIT}) sigaddset(&held, signal);
    ::sigprocmask(SIG_BLOCK, &held, &before_signals_);
    quiet_ = ::tcgetattr(fd_, &before_) == 0;
    auto now = before_;
    now.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    now.c_lflag |= ECHONL;
    // Without signals the key ends the line as an empty one instead.
    now.c_lflag &= ~static_cast<tcflag_t>(ISIG);
    now.c_cc[VEOL] = 3;  // Ctrl-C
    quiet_ = quiet_ && ::tcsetattr(fd_, TCSAFLUSH, &now) == 0;
  }
  ~QuietTerminal() {
    if (quiet_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    ::sigprocmask(SIG_SETMASK, &before_signals_, nullptr);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  bool quiet() const { return quiet_; }

 private:
  int fd_;
  bool quiet_ = false;
  termios before_{};
  sigset_t before_signals_{};
};

Result<std::string> ask(int terminal, std::string_view question) {
  if (::write(terminal, question.data(), question.size()) < 0)
    return fail(Errc::unavailable, "cannot ask for the password: {}", std::strerror(errno));
  const QuietTerminal quiet(terminal);
  if (!quiet.quiet()) return fail(Errc::unavailable, "cannot turn the echo of the terminal off");
  auto line = line_of(terminal);
  if (line && line->find('\x03') != std::string::npos)
    return fail(Errc::invalid, "nothing was changed");
  return line;
}

}  // namespace

Result<std::string> password_from_stdin() { return line_of(STDIN_FILENO); }

Result<std::string> password_from_terminal() {
  const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0) {
    return fail(Errc::invalid,
                "there is no terminal to ask on; with --password-stdin the password comes from "
                "stdin");
  }
  auto password = ask(terminal, "New password: ");
  auto again = password ? ask(terminal, "Again: ") : password;
  ::close(terminal);
  if (!again) return again;
  if (*again != *password) return fail(Errc::invalid, "the two are not the same");
  return password;
}

}  // namespace lightship::cli
