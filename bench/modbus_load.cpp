// One thread, one epoll; a connection sends as many requests as it has just got answers, in one
// send.
#include "modbus_load.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lightship::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kRequest = 12;
constexpr std::size_t kAnswer = 29;  // 7 of MBAP, function, byte count, 10 registers
constexpr std::uint8_t kUnit = 1, kFunction = 3, kRegisters = 10;
constexpr int kSilenceMs = 2000;
constexpr std::chrono::microseconds kGoodbye{300};  // for each connection

std::array<std::uint8_t, kAnswer> right_answer() {
  std::array<std::uint8_t, kAnswer> bytes{
      0, 0, 0, 0, 0, 3 + 2 * kRegisters, kUnit, kFunction, 2 * kRegisters};
  for (unsigned i = 0; i < kRegisters; ++i) {
    bytes[9 + 2 * i] = static_cast<std::uint8_t>((0x1000 + 0x0101 * i) >> 8);
    bytes[10 + 2 * i] = static_cast<std::uint8_t>(0x1000 + 0x0101 * i);
  }
  return bytes;
}

class Connection {
 public:
  Connection(std::uint16_t port, unsigned in_flight)
      : in_(in_flight * kAnswer), out_(in_flight * kRequest) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in peer{
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int yes = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    open_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&peer), sizeof peer) == 0;
  }
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }
  bool open() const { return open_; }

  bool ask(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i, ++next_) {
      const std::uint8_t request[kRequest] = {static_cast<std::uint8_t>(next_ >> 8),
                                              static_cast<std::uint8_t>(next_),
                                              0,
                                              0,
                                              0,
                                              6,
                                              kUnit,
                                              kFunction,
                                              0,
                                              0,
                                              0,
                                              kRegisters};
      std::memcpy(&out_[i * kRequest], request, kRequest);
    }
    const auto size = static_cast<ssize_t>(count * kRequest);
    return ::send(fd_, out_.data(), count * kRequest, MSG_NOSIGNAL) == size;
  }

  // How many right answers came; nothing in `wrong` as long as they were.
  std::size_t take(std::string& wrong) {
    const auto count = ::recv(fd_, in_.data() + have_, in_.size() - have_, MSG_DONTWAIT);
    if (count <= 0) {
      if (count < 0 && errno == EAGAIN) return 0;
      wrong = "the server closed a connection";
      return 0;
    }
    have_ += static_cast<std::size_t>(count);
    std::size_t answers = 0, at = 0;
    for (; have_ - at >= kAnswer; at += kAnswer, ++answers, ++expected_) {
      static const auto right = right_answer();
      const bool ours = in_[at] == expected_ >> 8 && in_[at + 1] == (expected_ & 0xFF);
      if (!ours || std::memcmp(&in_[at + 2], &right[2], kAnswer - 2) != 0) {
        wrong = "a wrong answer";
        return answers;
      }
    }
    std::memmove(in_.data(), in_.data() + at, have_ - at);
    have_ -= at;
    return answers;
  }

 private:
  int fd_ = -1;
  bool open_ = false;
  std::vector<std::uint8_t> in_, out_;
  std::size_t have_ = 0;
  std::uint16_t next_ = 0, expected_ = 0;
};

}  // namespace

Measured load_server(std::uint16_t port, const Load& load) {
  Measured measured;
  const auto note = [&](std::string what) {
    ++measured.errors;
    if (measured.trouble.empty()) measured.trouble = std::move(what);
  };
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Connection>> all;
  for (unsigned i = 0; i < load.connections; ++i) {
    auto& one = all.emplace_back(std::make_unique<Connection>(port, load.in_flight));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = one.get()}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, one->fd(), &event);
    if (!one->open() || !one->ask(load.in_flight)) note("cannot connect");
  }

  const auto begin = Steady::now() + load.warm_up;
  const auto end = begin + load.measured;
  std::uint64_t answers = 0;
  std::array<epoll_event, 256> events;
  for (auto now = Steady::now(); now < end && measured.errors < load.connections;
       now = Steady::now()) {
    const int ready =
        ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), kSilenceMs);
    if (ready == 0) {
      note("silence");
      break;
    }
    for (const auto& event :
         std::span(events).first(static_cast<std::size_t>(std::max(ready, 0)))) {
      auto& one = *static_cast<Connection*>(event.data.ptr);
      std::string wrong;
      const auto taken = one.take(wrong);
      if (!wrong.empty() || (taken > 0 && !one.ask(taken))) {
        note(wrong.empty() ? "cannot send" : wrong);
        ::epoll_ctl(poll, EPOLL_CTL_DEL, one.fd(), nullptr);
      }
      measured.answers += taken;
      if (now >= begin) answers += taken;
    }
  }
  measured.per_second =
      static_cast<double>(answers) / std::chrono::duration<double>(load.measured).count();
  ::close(poll);
  // The server has to see that these connections are gone before it is asked to take as many again.
  all.clear();
  std::this_thread::sleep_for(kGoodbye * load.connections);
  return measured;
}

}  // namespace lightship::bench
