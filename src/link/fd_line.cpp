// Reading and writing a descriptor without blocking, and waiting for it with a limit.
#include "link/fd_line.h"
#include "base/clock.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lightship::link {
namespace {

// A frame of any protocol here is far below a kernel buffer, so a write waits only for a peer that
// has stopped taking anything.
constexpr std::chrono::seconds kWriteLimit{10};

// A line that babbles faster than we drop must not hold the loop.
constexpr std::size_t kDiscardLimit = 256 * 1024;

}  // namespace

// The limit of one wait. Shared with the timer's handler, which may still be queued when the wait,
// or the line, is over; `round` tells it whether it is still meant.
struct FdLine::Alarm : std::enable_shared_from_this<Alarm> {
  explicit Alarm(asio::any_io_executor executor) : timer(std::move(executor)) {}

  void set(asio::posix::stream_descriptor& descriptor, MonoTime until) {
    fd = &descriptor;
    rang = false;
    timer.expires_at(until);
    timer.async_wait(
        [self = shared_from_this(), mine = ++round](boost::system::error_code stopped) {
          if (stopped || mine != self->round || !self->fd) return;
          self->rang = true;
          self->fd->cancel();
        });
  }
  void clear() {
    ++round;
    fd = nullptr;
    timer.cancel();
  }

  asio::steady_timer timer;
  asio::posix::stream_descriptor* fd = nullptr;
  std::uint64_t round = 0;
  bool rang = false;
};

FdLine::FdLine(asio::any_io_executor executor, Clock& clock, int fd, Kind kind, std::string name)
    : clock_(clock),
      fd_(executor, fd),
      read_alarm_(std::make_shared<Alarm>(executor)),
      write_alarm_(std::make_shared<Alarm>(executor)),
      kind_(kind),
      name_(std::move(name)) {}

FdLine::~FdLine() { close(); }

void FdLine::close() {
  read_alarm_->clear();
  write_alarm_->clear();
  boost::system::error_code ignored;
  fd_.close(ignored);
}

std::ptrdiff_t FdLine::try_read(std::span<std::uint8_t> into) {
  for (;;) {
    const auto count = ::read(fd_.native_handle(), into.data(), into.size());
    if (count < 0 && errno == EINTR) continue;
    if (count > 0) last_byte_at_ = clock_.mono();
    emptied_ =
        kind_ == Kind::stream_socket && count > 0 && static_cast<std::size_t>(count) < into.size();
    return count;
  }
}

Task<Result<std::size_t>> FdLine::read_some(std::span<std::uint8_t> into, MonoTime until) {
  for (;;) {
    if (!fd_.is_open()) co_return fail(closed_here());
    if (!std::exchange(emptied_, false)) {
      const auto count = try_read(into);
      if (count > 0) co_return static_cast<std::size_t>(count);
      if (count == 0 && kind_ == Kind::datagram_socket) continue;  // an empty datagram says nothing
      if (count == 0)
        co_return fail(Errc::closed, "{} hung up", kind_ == Kind::tty ? "the line" : "the peer");
      if (errno != EAGAIN && errno != EWOULDBLOCK) co_return fail(why_ended(errno, "reading"));
    }

    auto more = co_await ready(asio::posix::descriptor_base::wait_read, read_alarm_, until);
    if (!more) co_return fail(std::move(more.error()));
  }
}

Task<Result<void>> FdLine::write(Bytes bytes) {
  const auto until = steady_now() + kWriteLimit;
  for (;;) {
    if (!fd_.is_open()) co_return fail(closed_here());
    const auto count = kind_ == Kind::tty
                           ? ::write(fd_.native_handle(), bytes.data(), bytes.size())
                           : ::send(fd_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      if (bytes.empty()) co_return Result<void>{};
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return fail(why_ended(errno, "writing"));

    auto room = co_await ready(asio::posix::descriptor_base::wait_write, write_alarm_, until);
    if (!room && room.error().code == Errc::timeout)
      co_return fail(Errc::timeout, "the peer takes nothing: {} bytes left to write", bytes.size());
    if (!room) co_return fail(std::move(room.error()));
  }
}

Task<Result<void>> FdLine::ready(WaitKind kind, std::shared_ptr<Alarm> alarm, MonoTime until) {
  if (until != MonoTime::max()) {
    if (until <= steady_now()) co_return fail(Errc::timeout, "nothing came");
    alarm->set(fd_, until);
  }
  boost::system::error_code ended;
  co_await fd_.async_wait(kind, asio::redirect_error(asio::use_awaitable, ended));
  const bool rang = std::exchange(alarm->rang, false);
  alarm->clear();

  if (!fd_.is_open()) co_return fail(closed_here());
  if (ended != asio::error::operation_aborted)
    co_return Result<void>{};  // ready, or the next try says what it is
  const auto told = co_await asio::this_coro::cancellation_state;
  if (told.cancelled() != asio::cancellation_type::none) throw boost::system::system_error(ended);
  if (rang) co_return fail(Errc::timeout, "nothing came");
  co_return Result<void>{};  // the other direction's alarm woke us too
}

std::size_t FdLine::discard(std::span<std::uint8_t> first) {
  std::array<std::uint8_t, 512> dust;
  std::size_t total = 0;
  while (fd_.is_open() && total < kDiscardLimit) {
    const auto count = try_read(dust);
    if (count <= 0) break;
    const auto told = std::min(first.size(), static_cast<std::size_t>(count));
    std::copy_n(dust.begin(), told, first.begin());
    first = first.subspan(told);
    total += static_cast<std::size_t>(count);
  }
  return total;
}

Error FdLine::why_ended(int error_number, std::string_view doing) const {
  const bool tty = kind_ == Kind::tty;
  switch (error_number) {
    case EIO:
    case ENXIO:
    case ENODEV:
    case EBADF:
      return {
          Errc::closed,
          tty ? "the port is gone (unplugged, or the other end closed)" : "the connection is gone",
          error_number};
    case ECONNREFUSED:
      return {Errc::unavailable, "nobody listens there (ICMP port unreachable)", error_number};
    case ECONNRESET:
      return {Errc::closed, "the peer reset the connection", error_number};
    case EPIPE:
      return {Errc::closed, "the peer has closed the connection", error_number};
    case ETIMEDOUT:
      return {Errc::closed, "the peer no longer answers (keep-alive)", error_number};
    default:
      const auto code = kind_ == Kind::datagram_socket ? Errc::unavailable : Errc::closed;
      return {code, fmt::format("{} failed: {}", doing, std::strerror(error_number)), error_number};
  }
}

Error FdLine::closed_here() const { return {Errc::closed, "closed by us", 0}; }

}  // namespace lightship::link
