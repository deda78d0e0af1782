// The kernel's pseudo terminals.
#include "sim/pty.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace lightship::sim {

Result<Pty> Pty::open(std::filesystem::path link_as) {
  Pty pty;
  pty.master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (pty.master_ < 0 || ::grantpt(pty.master_) != 0 || ::unlockpt(pty.master_) != 0)
    return fail(Errc::unavailable, "no pseudo terminal: {}", std::strerror(errno));
  char name[64] = "";
  if (::ptsname_r(pty.master_, name, sizeof name) != 0)
    return fail(Errc::unavailable, "a pseudo terminal without a name: {}", std::strerror(errno));
  pty.device_ = name;
  pty.slave_ = ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  termios line{};
  if (pty.slave_ < 0 || ::tcgetattr(pty.slave_, &line) != 0)
    return fail(Errc::unavailable, "{}: {}", name, std::strerror(errno));
  ::cfmakeraw(&line);
  ::tcsetattr(pty.slave_, TCSANOW, &line);

  if (!link_as.empty()) {
    std::error_code trouble;
    if (std::filesystem::is_symlink(link_as, trouble)) std::filesystem::remove(link_as, trouble);
    std::filesystem::create_symlink(name, link_as, trouble);
    if (trouble) return fail(Errc::unavailable, "{}: {}", link_as.string(), trouble.message());
    pty.device_ = link_as.string();
    pty.link_ = std::move(link_as);
  }
  return pty;
}

Pty::Pty(Pty&& other) noexcept
    : master_(std::exchange(other.master_, -1)),
      slave_(std::exchange(other.slave_, -1)),
      device_(std::move(other.device_)),
      link_(std::exchange(other.link_, {})) {}

Pty::~Pty() {
  std::error_code ignored;
  if (!link_.empty()) std::filesystem::remove(link_, ignored);
  if (slave_ >= 0) ::close(slave_);
  if (master_ >= 0) ::close(master_);
}

std::size_t Pty::read(std::span<std::uint8_t> into) {
  const auto count = ::read(master_, into.data(), into.size());
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

void Pty::write(Bytes bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(master_, bytes.data(), bytes.size());
    if (count <= 0) return;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::size_t Pty::waiting() const {
  int count = 0;
  return ::ioctl(master_, FIONREAD, &count) == 0 ? static_cast<std::size_t>(count) : 0;
}

}  // namespace lightship::sim
