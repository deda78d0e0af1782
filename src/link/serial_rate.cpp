// termios2 and BOTHER.
#include "link/serial_rate.h"

#include <cerrno>
#include <cstring>

#include <asm/termbits.h>
#include <sys/ioctl.h>

namespace lightship::link {

Result<unsigned> rate_of(int fd) {
  termios2 line{};
  if (::ioctl(fd, TCGETS2, &line) != 0)
    return fail(Errc::unavailable, "TCGETS2: {}", std::strerror(errno));
  return line.c_ospeed;
}

Result<unsigned> set_custom_rate(int fd, unsigned baud) {
  termios2 line{};
  if (::ioctl(fd, TCGETS2, &line) != 0)
    return fail(Errc::unavailable, "TCGETS2: {}", std::strerror(errno));
  line.c_cflag &= ~static_cast<tcflag_t>(CBAUD | (CBAUD << IBSHIFT));
  line.c_cflag |= BOTHER | (static_cast<tcflag_t>(BOTHER) << IBSHIFT);
  line.c_ispeed = baud;
  line.c_ospeed = baud;
  if (::ioctl(fd, TCSETS2, &line) != 0)
    return fail(Errc::unavailable, "TCSETS2: {}", std::strerror(errno));
  return rate_of(fd);
}

}  // namespace lightship::link
