// The site behind `lightship demo`: a serial line with three meters and two devices on TCP.
//
// Nothing of it is special to the gateway, which reads a port and two sockets by its configuration
// files. The pump's controller fails on and off, so that there is something to see.
#pragma once

#include <memory>
#include <thread>

#include "link/serial_settings.h"
#include "sim/rtu_bus.h"
#include "sim/tcp_device.h"

namespace lightship::sim {

struct SiteAddresses {
  std::string line;  // the serial port: units 1 and 2 are EM6400, unit 3 is an LG5310
  std::uint16_t panel = 0;
  std::uint16_t pump = 0;
};

class Site {
 public:
  static link::SerialSettings line_settings();  // 19200 8E1

  Site();
  ~Site() { stop(); }

  // Its threads start here.
  Result<SiteAddresses> start();
  void stop();

 private:
  Task<void> end();
  Task<void> fail_now_and_then();

  SystemClock clock_;
  asio::io_context loop_{1};
  TaskGroup tasks_;
  std::unique_ptr<RtuBus> line_;
  TcpDevice panel_, pump_;
  std::thread thread_;
  bool stopped_ = false;
};

}  // namespace lightship::sim
