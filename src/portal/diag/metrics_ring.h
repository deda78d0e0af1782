// The figures of the last day, in bounded memory: a row every 5 s for an hour, one a minute for 25
// hours.
//
// What was not measured is NaN; a minute is the average of what was. Time is the caller's: rows
// follow one another, and who was late says how many are missing.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <deque>
#include <limits>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace lightship::portal {

class MetricsRing {
 public:
  static constexpr std::array<std::string_view, 10> kColumns = {
      "cpu_percent",   "memory_used_bytes",
      "temperature_c", "disk_free_bytes",
      "polls",         "failed_polls",
      "points",        "published",
      "packets",       "waiting"};
  using Row = std::array<double, kColumns.size()>;
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  static constexpr Row nothing() {
    Row row{};
    row.fill(kNone);
    return row;
  }

  static constexpr auto kStep = std::chrono::seconds(5);
  static constexpr auto kCoarseStep = std::chrono::seconds(60);
  static constexpr std::size_t kFine = 720, kCoarse = 25 * 60;

  void add(const Row& row);
  void add_gap(std::size_t rows);  // nothing was measured for so long

  struct Past {
    std::chrono::seconds step{};
    std::vector<Row> rows;  // oldest first; the newest ends now
  };
  // What is kept of so much time; fine as far as that goes.
  Past past(std::chrono::minutes back) const;

 private:
  std::deque<Row> fine_, coarse_;
  std::vector<Row> minute_;  // of the minute that is not whole
};

}  // namespace lightship::portal
