// After a start: what a kill left undone, and where the counters stood.
#pragma once

#include <map>
#include <vector>

#include "store/history/file.h"

namespace lightship::history {

// Raw values that no roll-up accounts for, because the program was killed within their minute, get
// one. What says to be of a time after `now` is no measure. Returns how many roll-ups were made.
Result<std::uint64_t> make_up_rollups(sqlite::Database& database, Millis now);

struct Level {
  Millis at = 0;
  double value = 0;
};
// The newest value of each of these series that has one, by their place in the layout.
Result<std::map<std::size_t, Level>> newest_values(sqlite::Database& database, std::int64_t layout,
                                                   const std::vector<std::int64_t>& series);

}  // namespace lightship::history
