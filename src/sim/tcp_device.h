// A simulated Modbus TCP server on a port of the loopback: several clients, several requests in
// flight.
//
// It can be switched off and on like the device it plays: off, nobody listens and every connection
// is closed; on, it has the same port again. All on the loop.
#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "base/clock.h"
#include "codec/modbus/server.h"
#include "link/byte_line.h"

namespace lightship::sim {

class TcpDevice {
 public:
  using Units = std::map<std::uint8_t, std::shared_ptr<modbus::DataMap>>;

  // A server with one unit answers to 0 and 255 too, which mean "this device". `clock` outlives it.
  TcpDevice(asio::any_io_executor executor, Clock& clock, Units units, Duration answer_time = {});
  ~TcpDevice();  // switched off before

  // Takes the port, 0 for any; it stays taken while the device is off.
  Result<void> take_port(std::uint16_t port);
  std::uint16_t port() const { return port_; }

  Result<void> switch_on();
  Task<void> switch_off();  // returns when every connection has ended
  bool on() const { return sessions_ != nullptr; }

  std::uint64_t requests() const { return requests_; }

 private:
  using Acceptor = asio::ip::tcp::acceptor;

  Task<void> accept();
  Task<void> serve(std::unique_ptr<link::ByteLine> line);
  bool answer(ByteVector& heard, ByteVector& out);  // false: the framing is lost
  modbus::DataMap* find(std::uint8_t unit) const;

  asio::any_io_executor executor_;
  Clock& clock_;
  Units units_;
  Duration answer_time_;
  Acceptor reserved_;  // bound and not listening, so that the port stays ours
  Acceptor listener_;
  std::unique_ptr<TaskGroup> sessions_;
  std::uint16_t port_ = 0;
  std::uint64_t requests_ = 0;
};

}  // namespace lightship::sim
