// Finds the rate and parity of a line that others use, by listening to it.
//
// The settings are tried one after the other, the usual ones first, and judged by the frames whose
// check is right. Who only hears cannot tell one stop bit from two, and needs not.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "link/serial.h"
#include "sources/modbus/config.h"
#include "sources/modbus/sniffer.h"

namespace lightship::poller {

struct OpenedPort {
  std::unique_ptr<link::ByteLine> line;
  std::function<link::SerialErrors()> errors;  // since it was opened
  std::vector<std::string> notes;
};
using OpenPort = std::function<Result<OpenedPort>(const link::SerialSettings&)>;

// Opens real ports.
OpenPort port_opener(asio::any_io_executor executor, Clock& clock);

// Which of the line's settings are not given and must be found out.
struct Unknown {
  bool baud = false, parity = false;
  bool any() const { return baud || parity; }
};

// The settings that come into question, the most common first; `base` alone when all is known.
std::vector<link::SerialSettings> likely_settings(const link::SerialSettings& base, Unknown unknown,
                                                  Framing framing);

struct RateFound {
  std::optional<link::SerialSettings> settings;  // nothing: at none of them was a frame heard
  std::size_t frames = 0, pairs = 0;             // with a good check; answers that fit requests
  std::size_t requests = 0;
  std::size_t damaged = 0;        // frames, and bytes that belong to none
  std::uint64_t line_errors = 0;  // counted by the driver: framing and parity
  std::size_t bytes = 0;          // heard at all settings together
  std::size_t tried = 0;
  bool certain() const {
    return frames >= 3 && pairs >= 1 && damaged <= frames && line_errors == 0;
  }
};

struct ListenPlan {
  Duration at_each = std::chrono::milliseconds(1500);  // listen so long at one setting
  Duration at_most = std::chrono::seconds(30);         // and so long in all
};

// "9600 8N1: 5 frames with a good check, 2 answers that fit; certain"
std::string describe(const RateFound& found);

// Errors: a port that cannot be opened, a line that is gone. `told` hears of each setting begun.
Task<Result<RateFound>> find_rate_by_listening(
    const OpenPort& open, Clock& clock, std::vector<link::SerialSettings> candidates,
    Framing framing, ListenPlan plan, std::function<void(const link::SerialSettings&)> told = {});

}  // namespace lightship::poller
