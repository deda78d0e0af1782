// What the gateway counts, for /metrics and the status page.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/metrics.h"

namespace lightship::gateway {

class Tally {
 public:
  explicit Tally(Metrics& metrics);

  // The codes that the standard names, and one counter for all others.
  static constexpr std::array<int, 10> kCodes{1, 2, 3, 4, 5, 6, 7, 8, 10, 11};

  Counter& exception(int code) { return *by_code_[static_cast<std::uint8_t>(code)]; }
  Counter& other_exceptions() { return exception(0); }
  std::uint64_t exceptions(int code) const {
    return by_code_[static_cast<std::uint8_t>(code)]->value;
  }

  Counter& requests;
  Counter& bytes_in;
  Counter& bytes_out;
  Counter& accepted;
  Counter& not_allowed;     // address outside allow_from
  Counter& too_many;        // past max_clients
  Counter& no_descriptors;  // the process has no file descriptor left
  Counter& lost_framing;    // closed: what came was not Modbus TCP
  Counter& slow;            // closed: took no answers
  Counter& forwarded;       // reads asked of devices for pass_through
  Counter& joined;          // reads that shared the answer to another one
  Counter& writes;          // writes passed on to devices
  Counter& writes_refused;  // to devices that do not allow them

 private:
  std::array<Counter*, 256> by_code_{};
};

}  // namespace lightship::gateway
