// Which rows of the history answer a question, and reading them in pieces. Blocking.
#pragma once

#include <atomic>
#include <optional>

#include "store/history/reader.h"

namespace lightship::portal {

struct HistoryAsked {
  history::Series series;
  history::Millis from = 0, to = 0;
  std::optional<history::Millis> step;  // nothing: to be chosen; 0: as it was measured
};

// The rows of a chart: of the tier asked for or, where nothing was said, of the finest that is kept
// of this time and fits.
struct HistoryRows {
  history::Millis step = 0;  // 0: raw
  std::vector<history::Sample> raw;
  std::vector<history::Rollup> steps;
  bool truncated = false;
};
Result<HistoryRows> read_rows(history::History& history, const HistoryAsked& asked,
                              std::size_t most, const std::atomic<bool>& stop);

// The step that is taken where none was asked for, or 0.
Result<history::Millis> choose_step(history::History& history, const HistoryAsked& asked);

// The next rows as CSV, from `from` on, which moves to where the following ones begin; nothing:
// that was all.
Result<std::optional<std::string>> next_csv(history::History& history,
                                            const history::Series& series, history::Millis step,
                                            history::Millis& from, history::Millis to,
                                            const std::atomic<bool>& stop);

// The few names that are most like the one that is not there.
std::vector<std::string> nearest_names(std::string_view asked, std::vector<std::string> names);

}  // namespace lightship::portal
