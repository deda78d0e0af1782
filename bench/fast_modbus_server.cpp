// A Modbus TCP server that costs little, so that a gateway can be loaded on the same machine: the
// devices of points_per_second.py. It is no benchmark by itself.
//
// Every unit id is answered alike. Registers below 50,000 are float32 values, high word first, that
// change every tenth of a second; those from 50,000 on are memory that functions 6 and 16 write.
// One thread, one epoll; all the requests that have come are answered in one send.
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "base/bytes.h"

namespace {

using namespace lightship;

constexpr std::uint32_t kMemory = 50'000;  // the first register that can be written
constexpr std::size_t kHeader = 7;
constexpr std::size_t kLongest = 260;

std::array<std::uint16_t, 65'536 - kMemory> memory;

// Float number `at` in the tenth of a second `tick`: exact in 32 bits, and told back by the
// benchmark (`expected` in points_per_second.py).
float value(std::uint32_t at, std::uint32_t tick) {
  return 1000.0f + 0.25f * static_cast<float>(at) + 0.125f * static_cast<float>(tick % 512);
}

std::uint32_t tick_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint32_t>(now / std::chrono::milliseconds(100));
}

std::uint16_t register_at(std::uint32_t at, std::uint32_t tick) {
  if (at >= kMemory) return memory[at - kMemory];
  const auto bits = std::bit_cast<std::uint32_t>(value(at / 2, tick));
  return static_cast<std::uint16_t>(at % 2 == 0 ? bits >> 16 : bits);
}

// The answer's PDU.
void answer(Bytes pdu, std::uint32_t tick, ByteVector& out) {
  const auto refuse = [&](std::uint8_t code) {
    put_u8(out, pdu[0] | 0x80);
    put_u8(out, code);
  };
  if (pdu.size() < 5) return refuse(3);
  const std::uint32_t first = load_u16(&pdu[1]), count = load_u16(&pdu[3]);
  switch (pdu[0]) {
    case 3:
    case 4:
      if (count == 0 || count > 125) return refuse(3);
      if (first + count > 65'536) return refuse(2);
      put_u8(out, pdu[0]);
      put_u8(out, static_cast<std::uint8_t>(2 * count));
      for (std::uint32_t at = first; at < first + count; ++at) put_u16(out, register_at(at, tick));
      return;
    case 6:
      if (first < kMemory) return refuse(2);
      memory[first - kMemory] = static_cast<std::uint16_t>(count);
      return put_bytes(out, pdu.first(5));
    case 16:
      if (count == 0 || count > 123 || pdu.size() != 6 + 2 * count) return refuse(3);
      if (first < kMemory || first + count > 65'536) return refuse(2);
      for (std::uint32_t i = 0; i < count; ++i)
        memory[first - kMemory + i] = load_u16(&pdu[6 + 2 * i]);
      return put_bytes(out, pdu.first(5));
    default:
      return refuse(1);
  }
}

class Client {
 public:
  explicit Client(int fd) : fd_(fd) {
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::uint32_t watched = EPOLLIN;
  int fd() const { return fd_; }
  bool waits_for_room() const { return !out_.empty(); }

  // False when the peer is gone.
  bool serve() {
    if (!send()) return false;
    const auto got = ::recv(fd_, in_.data() + held_, in_.size() - held_, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (got < 0) return true;
    held_ += static_cast<std::size_t>(got);
    const auto tick = tick_now();
    std::size_t used = 0;
    while (held_ - used >= kHeader) {
      const std::uint8_t* adu = &in_[used];
      const std::size_t length = load_u16(adu + 4);
      if (load_u16(adu + 2) != 0 || length < 2 || length > kLongest - 6) return false;
      if (held_ - used < 6 + length) break;
      put_bytes(out_, Bytes(adu, kHeader));
      const std::size_t start = out_.size();
      answer(Bytes(adu + kHeader, length - 1), tick, out_);
      const std::size_t size = out_.size() - start + 1;
      out_[start - 3] = static_cast<std::uint8_t>(size >> 8);
      out_[start - 2] = static_cast<std::uint8_t>(size);
      used += 6 + length;
    }
    std::memmove(in_.data(), in_.data() + used, held_ - used);
    held_ -= used;
    return send();
  }

 private:
  bool send() {
    while (!out_.empty()) {
      const auto sent = ::send(fd_, out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN || errno == EINTR;
      out_.erase(out_.begin(), out_.begin() + sent);
    }
    return true;
  }

  int fd_;
  std::array<std::uint8_t, 16 * kLongest> in_{};
  std::size_t held_ = 0;
  ByteVector out_;
};

int listen_on_loopback() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr = {htonl(INADDR_LOOPBACK)};
  if (::bind(fd, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0 || ::listen(fd, 256) != 0) {
    std::perror("listen");
    return -1;
  }
  socklen_t size = sizeof here;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size);
  std::printf("%d\n", ntohs(here.sin_port));
  std::fflush(stdout);
  return fd;
}

}  // namespace

// Says its port on standard output, and serves until its parent ends.
int main() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int listener = listen_on_loopback();
  if (listener < 0) return 1;
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event hello{.events = EPOLLIN, .data = {.ptr = nullptr}};
  ::epoll_ctl(poll, EPOLL_CTL_ADD, listener, &hello);
  std::array<epoll_event, 128> events;
  for (;;) {
    const int ready = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (const auto& event :
         std::span(events).first(static_cast<std::size_t>(std::max(ready, 0)))) {
      auto* client = static_cast<Client*>(event.data.ptr);
      if (client == nullptr) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        client = new Client(fd);
        epoll_event more{.events = EPOLLIN, .data = {.ptr = client}};
        ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &more);
      } else if (!client->serve()) {
        delete client;  // its descriptor leaves the epoll with it
      } else {
        const std::uint32_t room = client->waits_for_room() ? EPOLLOUT : 0;
        if (client->watched == (EPOLLIN | room)) continue;
        client->watched = EPOLLIN | room;
        epoll_event next{.events = client->watched, .data = {.ptr = client}};
        ::epoll_ctl(poll, EPOLL_CTL_MOD, client->fd(), &next);
      }
    }
  }
}
