// A serial port: raw, without flow control, ours alone.
//
// Exclusive by TIOCEXCL and by flock, because root passes the first. A pty (tests, socat) has no
// modem lines, no error counters and no parity: what it cannot do is passed over. Unplugging ends
// the line with Errc::closed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "link/fd_line.h"
#include "link/serial_settings.h"

namespace lightship::link {

// What the driver counted since the port was opened; zero where it does not count.
struct SerialErrors {
  std::uint64_t frame = 0;
  std::uint64_t parity = 0;
  std::uint64_t overrun = 0;
  std::uint64_t breaks = 0;
};

class SerialLine final : public FdLine {
 public:
  SerialLine(asio::any_io_executor executor, Clock& clock, int fd, SerialSettings settings);

  const SerialSettings& settings() const { return settings_; }
  SerialErrors errors() const;

  bool kernel_switches_direction() const { return kernel_direction_; }  // TIOCSRS485 was taken
  std::optional<int> latency_timer_ms() const {
    return latency_timer_ms_;
  }  // USB adapters that have one

  // What could not be set and does not stop us: "the driver has no RS-485 mode (...)".
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  friend Result<std::unique_ptr<SerialLine>> open_serial(asio::any_io_executor, Clock&,
                                                         SerialSettings);

  SerialErrors counted() const;

  SerialSettings settings_;
  SerialErrors at_start_;
  bool kernel_direction_ = false;
  std::optional<int> latency_timer_ms_;
  std::vector<std::string> notes_;
};

// Does not wait. Errors: invalid (settings no port can do), unavailable (missing, not permitted,
// held by another program: the text names it), with errno as detail.
Result<std::unique_ptr<SerialLine>> open_serial(asio::any_io_executor executor, Clock& clock,
                                                SerialSettings settings);

}  // namespace lightship::link
