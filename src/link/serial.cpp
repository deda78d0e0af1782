// Opening a port: names and permissions, the lock, raw mode, the extras of the driver.
#include "link/serial.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <grp.h>
#include <linux/serial.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "link/serial_ports.h"
#include "link/serial_rate.h"

namespace lightship::link {
namespace {

struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int release() { return std::exchange(fd, -1); }
  int fd;
};

std::unexpected<Error> refuse(int error_number, std::string text) {
  return fail(Error{Errc::unavailable, std::move(text), error_number});
}

std::string ports_that_exist() {
  std::vector<std::string> names;
  for (const auto& port : serial_ports())
    names.push_back(port.stable.empty() ? port.device : port.stable.front());
  if (names.empty()) return "this machine has no serial port";
  return fmt::format("there {} {}", names.size() == 1 ? "is" : "are", join(names, ", "));
}

std::string group_of(const std::string& device) {
  struct stat node{};
  if (::stat(device.c_str(), &node) != 0) return "dialout";
  const auto* group = ::getgrgid(node.st_gid);
  return group && std::string_view(group->gr_name) != "root" ? group->gr_name : "dialout";
}

std::string held_by(const std::string& device, int except) {
  struct stat node{};
  if (::stat(device.c_str(), &node) != 0) return "another program holds the port";
  const auto holder = holder_of(node.st_rdev, except);
  if (!holder)
    return "another program holds the port (it belongs to another user, or runs in a container)";
  if (holder->pid == ::getpid())
    return fmt::format("this program (pid {}) has the port open already", holder->pid);
  return fmt::format("pid {} ({}) holds the port", holder->pid, holder->command);
}

Result<int> open_device(const std::string& device, bool receive_only) {
  const int access = receive_only ? O_RDONLY : O_RDWR;
  const int fd = ::open(device.c_str(), access | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0) return fd;
  const int why = errno;
  switch (why) {
    case ENOENT:
      return refuse(why, fmt::format("no such port; {}", ports_that_exist()));
    case EACCES:
    case EPERM:
      return refuse(why, fmt::format("not permitted; add the user to group {}", group_of(device)));
    case EBUSY:
      return refuse(why, held_by(device, -1));
    case ENXIO:
    case ENODEV:
    case EIO:
      return refuse(why, fmt::format("no hardware behind this name; {}", ports_that_exist()));
    default:
      return refuse(why, std::strerror(why));
  }
}

// TIOCEXCL keeps other users out, flock other programs that ask, root's among them.
Result<void> take_for_ourselves(int fd, const std::string& device) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    if (why == EWOULDBLOCK) return refuse(why, held_by(device, fd));
    return refuse(why, fmt::format("cannot be locked: {}", std::strerror(why)));
  }
  if (::ioctl(fd, TIOCEXCL) != 0)
    return refuse(errno, fmt::format("TIOCEXCL: {}", std::strerror(errno)));
  return {};
}

constexpr struct {
  unsigned baud;
  speed_t name;
} kNamedRates[] = {
    {50, B50},           {75, B75},           {110, B110},         {134, B134},
    {150, B150},         {200, B200},         {300, B300},         {600, B600},
    {1200, B1200},       {1800, B1800},       {2400, B2400},       {4800, B4800},
    {9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},
    {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
    {576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000},
    {1500000, B1500000}, {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000},
    {3500000, B3500000}, {4000000, B4000000},
};

std::optional<speed_t> named_rate(unsigned baud) {
  for (const auto& rate : kNamedRates)
    if (rate.baud == baud) return rate.name;
  return std::nullopt;
}

tcflag_t framing(const SerialSettings& settings) {
  constexpr tcflag_t kSizes[] = {CS5, CS6, CS7, CS8};
  tcflag_t flags = kSizes[settings.data_bits - 5];
  if (settings.stop_bits == 2) flags |= CSTOPB;
  switch (settings.parity) {
    case Parity::none:
      break;
    case Parity::even:
      flags |= PARENB;
      break;
    case Parity::odd:
      flags |= PARENB | PARODD;
      break;
    case Parity::mark:
      flags |= PARENB | PARODD | CMSPAR;
      break;
    case Parity::space:
      flags |= PARENB | CMSPAR;
      break;
  }
  return flags;
}

bool is_pty(int fd) {
  struct stat node{};
  return ::fstat(fd, &node) == 0 && major(node.st_rdev) >= 136 && major(node.st_rdev) <= 143;
}

Result<void> make_raw(int fd, const SerialSettings& settings) {
  constexpr tcflag_t kFraming = CSIZE | CSTOPB | PARENB | PARODD | CMSPAR;
  termios line{};
  if (::tcgetattr(fd, &line) != 0)
    return refuse(errno, errno == EIO ? "no hardware behind this name"
                                      : fmt::format("is not a terminal: {}", std::strerror(errno)));
  ::cfmakeraw(&line);
  // A byte with a parity error reads as 0 and fails the checksum above. HUPCL is off: dropping DTR
  // at close would restart boards that are reset by it.
  // Who only listens also wants a missing stop bit to show, which is what a wrong rate looks like.
  line.c_iflag = settings.parity == Parity::none && !settings.receive_only
                     ? IGNBRK
                     : static_cast<tcflag_t>(IGNBRK | INPCK);
  line.c_cflag &= ~static_cast<tcflag_t>(kFraming | CRTSCTS | HUPCL);
  line.c_cflag |= CREAD | CLOCAL | framing(settings);
  // One, not zero: with zero the kernel says "0 bytes" both for silence and for a hang-up.
  line.c_cc[VMIN] = 1;
  line.c_cc[VTIME] = 0;
  const auto rate = named_rate(settings.baud);
  ::cfsetspeed(&line, rate.value_or(B38400));
  // A pseudo-terminal carries bytes, not characters: the kernel leaves parity out, and glibc calls
  // the difference invalid after everything else is set.
  if (::tcsetattr(fd, TCSANOW, &line) != 0 && !(errno == EINVAL && is_pty(fd)))
    return refuse(errno,
                  fmt::format("{} is refused: {}", describe(settings), std::strerror(errno)));

  // tcsetattr is content when any part of it could be done.
  termios made{};
  ::tcgetattr(fd, &made);
  if (!is_pty(fd) && (made.c_cflag & kFraming) != (line.c_cflag & kFraming))
    return fail(Errc::invalid, "the driver cannot do {}", describe(settings));
  auto actual = rate ? rate_of(fd) : set_custom_rate(fd, settings.baud);
  if (!actual) return fail(std::move(actual.error()));
  // A UART samples the last bit of a character about half a bit early or late at 5 %; 2.5 % is half
  // of that.
  const auto off = std::abs(static_cast<double>(*actual) - settings.baud) / settings.baud;
  if (off > 0.025)
    return fail(Errc::invalid, "the driver makes {} baud of {}", *actual, settings.baud);
  return {};
}

// Nothing: the kernel switches. A text: why it does not.
std::optional<std::string> let_kernel_switch(int fd, const Rs485& wanted) {
  serial_rs485 mode{};
  mode.flags = SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND;
  if (wanted.rx_during_tx) mode.flags |= SER_RS485_RX_DURING_TX;
  mode.delay_rts_before_send = static_cast<__u32>(wanted.rts_before.count());
  mode.delay_rts_after_send = static_cast<__u32>(wanted.rts_after.count());
  if (::ioctl(fd, TIOCSRS485, &mode) != 0)
    return fmt::format("the driver has no RS-485 mode ({})", std::strerror(errno));
  serial_rs485 made{};
  if (::ioctl(fd, TIOCGRS485, &made) == 0 && !(made.flags & SER_RS485_ENABLED))
    return "the driver takes the RS-485 mode but does not keep it";
  return std::nullopt;
}

// Wakes us for each byte instead of collecting; an FTDI adapter otherwise holds bytes for 16 ms.
std::optional<int> lower_latency(int fd, const std::string& device) {
  serial_struct driver{};
  if (::ioctl(fd, TIOCGSERIAL, &driver) == 0 && !(driver.flags & ASYNC_LOW_LATENCY)) {
    driver.flags |= ASYNC_LOW_LATENCY;
    ::ioctl(fd, TIOCSSERIAL, &driver);
  }
  std::error_code ignored;
  const auto real = std::filesystem::canonical(device, ignored);
  const auto knob = "/sys/class/tty/" + real.filename().string() + "/device/latency_timer";
  int value = 0;
  if (!(std::ifstream(knob) >> value)) return std::nullopt;
  if (value > 1) {
    std::ofstream(knob) << 1;
    std::ifstream(knob) >> value;
  }
  return value;
}

}  // namespace

Result<std::unique_ptr<SerialLine>> open_serial(asio::any_io_executor executor, Clock& clock,
                                                SerialSettings settings) {
  if (auto possible = check(settings); !possible) return fail(std::move(possible.error()));
  const auto place = "serial " + settings.device;

  auto opened = open_device(settings.device, settings.receive_only);
  if (!opened) return within(place, std::move(opened.error()));
  Descriptor port(*opened);
  if (auto ours = take_for_ourselves(port.fd, settings.device); !ours)
    return within(place, std::move(ours.error()));
  if (auto raw = make_raw(port.fd, settings); !raw) return within(place, std::move(raw.error()));

  std::vector<std::string> notes;
  bool kernel_direction = false;
  if (settings.rs485.direction != Direction::off) {
    auto why_not = let_kernel_switch(port.fd, settings.rs485);
    if (why_not && settings.rs485.direction == Direction::on)
      return fail(Errc::unavailable, "{}: {}; \"direction: auto\" goes on without it", place,
                  *why_not);
    kernel_direction = !why_not;
    if (why_not) notes.push_back(std::move(*why_not));
  }
  std::optional<int> latency;
  if (settings.low_latency) latency = lower_latency(port.fd, settings.device);
  if (latency && *latency > 1)
    notes.push_back(fmt::format(
        "the adapter holds bytes for {} ms (latency_timer, only root may lower it)", *latency));

  ::tcflush(port.fd, TCIOFLUSH);
  auto line =
      std::make_unique<SerialLine>(std::move(executor), clock, port.release(), std::move(settings));
  line->kernel_direction_ = kernel_direction;
  line->latency_timer_ms_ = latency;
  line->notes_ = std::move(notes);
  return line;
}

SerialLine::SerialLine(asio::any_io_executor executor, Clock& clock, int fd,
                       SerialSettings settings)
    : FdLine(std::move(executor), clock, fd, Kind::tty, "serial " + settings.device),
      settings_(std::move(settings)) {
  at_start_ = counted();
}

SerialErrors SerialLine::counted() const {
  serial_icounter_struct count{};
  if (!is_open() || ::ioctl(fd(), TIOCGICOUNT, &count) != 0) return {};
  const auto number = [](int value) {
    return static_cast<std::uint64_t>(static_cast<unsigned>(value));
  };
  return {.frame = number(count.frame),
          .parity = number(count.parity),
          .overrun = number(count.overrun) + number(count.buf_overrun),
          .breaks = number(count.brk)};
}

SerialErrors SerialLine::errors() const {
  const auto now = counted();
  const auto since = [](std::uint64_t value, std::uint64_t start) {
    return value > start ? value - start : 0;
  };
  return {.frame = since(now.frame, at_start_.frame),
          .parity = since(now.parity, at_start_.parity),
          .overrun = since(now.overrun, at_start_.overrun),
          .breaks = since(now.breaks, at_start_.breaks)};
}

}  // namespace lightship::link
