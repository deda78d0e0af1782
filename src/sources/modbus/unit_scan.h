// Which units answer on a line: asked one after the other, by reads alone.
//
// Whoever answers is there, be it with an exception. On a serial line the waits follow the devices
// that answered; a gateway that says "nobody" (exceptions 10 and 11) is believed; a device that
// answers to every unit id is found once. Damaged answers are asked for again: when none comes out
// right, two devices may have the same unit id. Who said nothing is asked once more at the end: on
// a busy line or machine its answer may have come too late.
#pragma once

#include <string>
#include <vector>

#include "sources/modbus/talker.h"

namespace lightship::poller {

struct UnitFound {
  std::uint8_t unit = 0;
  Duration answer_time{};   // of its first good answer
  std::string answered;     // "read 1 holding register at 0", "exception 2 (...)"
  bool every_unit = false;  // the device answers to any unit id
  unsigned tries = 0, damaged = 0;
  // No answer came out right: two devices with one unit id, or a bad line.
  bool only_damaged() const { return tries > 0 && damaged == tries; }
};

struct ScanPlan {
  std::vector<std::uint8_t> units;  // in this order
  bool mbap = false;                // Modbus TCP or UDP: a gateway, or a device that ignores units
  Duration patience = std::chrono::milliseconds(300);  // until the first device has answered
  Duration least = std::chrono::milliseconds(100);     // never less than this
  Duration most = std::chrono::seconds(2);             // nor more
  Duration wire{};  // what one request and its answer take on the line
  // The second round is no longer than this: as many units as fit, in their order.
  Duration again = std::chrono::seconds(20);

  // How long it takes when nobody answers.
  Duration longest() const;
};

struct ScanNews {
  // `left`: how long those that are still to be asked take when none of them answers.
  std::function<void(std::size_t done, std::size_t all, std::uint8_t unit, Duration left)> progress;
  std::function<void(std::size_t units, Duration longest)> again;  // the second round begins
  std::function<void(const UnitFound&)> found;
};

// Errors: the line cannot be opened, or is lost for good. `first`: asked for `true` it ends with
// the first unit that is found.
Task<Result<std::vector<UnitFound>>> scan_units(Talker& line, ScanPlan plan, const ScanNews& news,
                                                bool first = false);

// "1-10,17,33" -> units in the order given, each once. Errc::invalid with what was expected.
Result<std::vector<std::uint8_t>> parse_units(std::string_view text);

}  // namespace lightship::poller
