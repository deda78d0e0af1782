// The serial ports of this machine, and who holds one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace lightship::link {

struct SerialPort {
  std::string device;  // /dev/ttyUSB0
  std::vector<std::string>
      stable;               // names that survive a renumbering: /dev/serial/by-id/..., by-path/...
  std::string description;  // "FTDI FT232R USB UART", empty when the kernel does not say
  std::string driver;       // "ftdi_sio"
};

// Ports with hardware behind them, sorted by name; those with a stable name first.
std::vector<SerialPort> serial_ports();

struct PortHolder {
  pid_t pid;
  std::string command;  // "mbpoll -a 1 /dev/ttyUSB0"
};

// Who has this terminal open, other than by the descriptor `except`; only what /proc lets us see.
std::optional<PortHolder> holder_of(dev_t terminal, int except = -1);

}  // namespace lightship::link
