// A running gateway on a port of the loopback, and clients with real sockets.
//
// The clock is the test's; only the sockets are real. `Client::receive` runs the loop until the
// bytes are there, at most five seconds.
#pragma once

#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sinks/modbus_gateway/house_for_test.h"
#include "sinks/modbus_gateway/server.h"

namespace lightship::gateway {

inline GatewayConfig local_config() {
  GatewayConfig config;
  config.enabled = true;
  config.port = 0;
  return config;
}

// Unit 11 is main-panel/meter-1, with registers 100-104 read.
struct Served {
  explicit Served(GatewayConfig config = local_config())
      : server(house.context, config, {{"main-panel/meter-1", 11, {}}}) {
    house.read(meter, Space::holding, 100, 4, "00 01 00 02 00 03 00 04");
    house.read(meter, Space::holding, 104, 1, "00 05");
    tasks.spawn(run());
    EXPECT_TRUE(until([&] { return server.port() != 0 || !ended.text.empty(); }));
  }
  ~Served() {
    tasks.cancel();
    EXPECT_TRUE(until([&] { return tasks.running() == 0; }));
    turn();
  }
  Task<void> run() { ended = co_await server.run(); }

  void turn() {
    house.loop.restart();
    house.loop.poll();
  }
  bool until(const std::function<bool()>& done) {
    const SystemClock real;
    const auto end = real.mono() + std::chrono::seconds(5);
    while (!done()) {
      if (real.mono() > end) return false;
      house.loop.restart();
      house.loop.run_one_for(std::chrono::milliseconds(2));
    }
    return true;
  }
  std::size_t clients() const { return server.clients() ? server.clients()->count() : 0; }

  House house;
  DeviceId meter = house.meter();
  Server server;
  Tally tally{house.metrics};  // the same counters
  Error ended;
  TaskGroup tasks{house.loop.get_executor()};
};

class Client {
 public:
  explicit Client(Served& served, int receive_buffer = 0) : served_(served) {
    if (receive_buffer > 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in peer{.sin_family = AF_INET,
                     .sin_port = htons(served.server.port()),
                     .sin_addr = {htonl(INADDR_LOOPBACK)}};
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&peer), sizeof peer), 0);
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view text) { send(Bytes(hex(text))); }
  void send(Bytes bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // As many bytes as that, or "closed" behind what came before the server hung up.
  std::string receive(std::size_t count) {
    ByteVector bytes;
    const bool enough = served_.until([&] { return take(bytes) || bytes.size() >= count; });
    return to_hex(bytes) + (closed_ ? "closed" : enough ? "" : " and no more");
  }
  bool is_closed() {
    ByteVector nothing;
    return served_.until([&] { return take(nothing); });
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  bool take(ByteVector& into) {
    std::uint8_t some[65536];
    const auto count = ::recv(fd_, some, sizeof some, MSG_DONTWAIT);
    if (count > 0) put_bytes(into, Bytes(some, static_cast<std::size_t>(count)));
    closed_ = closed_ || count == 0 || (count < 0 && errno == ECONNRESET);
    return closed_;
  }

  Served& served_;
  int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool closed_ = false;
};

}  // namespace lightship::gateway
