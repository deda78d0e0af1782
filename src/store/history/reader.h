// Asking the history: series by name, their values, their roll-ups in any step.
//
// Reads beside a running gateway; what it sees is what was committed (a few seconds old). Rows are
// given one by one in the order of time, so that a year of raw values needs no memory. Blocking:
// the command line may, everybody else asks on a Worker.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "store/history/file.h"

namespace lightship::history {

// Which rows answer a range without a step: raw up to an hour, minutes up to a day, hours up to 60
// days, days beyond.
Tier tier_for_range(Millis from, Millis to);
// The coarsest tier whose windows make up the step; raw where none does.
Tier tier_for_step(Millis step);

class History {
 public:
  static Result<History> open(const std::filesystem::path& file);

  // Series whose name is the pattern, or fits it where it has * or ?; by name.
  Result<std::vector<Series>> find(std::string_view pattern);
  // What the point was before its unit or its kind changed.
  Result<std::vector<Series>> former(std::string_view name);
  Result<std::vector<std::string>> names();

  // True: go on. `from` is in the range, `to` is not.
  using OnSample = std::function<bool(const Sample&)>;
  using OnRollup = std::function<bool(const Rollup&)>;

  Result<void> samples(std::int64_t series, Millis from, Millis to, const OnSample& each);
  // Windows of the tier that begin in the range. One for which nothing was recorded is left out;
  // one in which there was only silence has no value and a reason.
  Result<void> rollups(std::int64_t series, Tier tier, Millis from, Millis to,
                       const OnRollup& each);
  // Windows of any length, aligned to the UTC clock.
  Result<void> steps(std::int64_t series, Millis step, Millis from, Millis to,
                     const OnRollup& each);
  Result<std::vector<CounterEvent>> events(std::int64_t series, Millis from, Millis to);

  // Blobs that could not be decoded so far.
  std::uint64_t damaged() const { return damaged_; }

 private:
  explicit History(sqlite::Database database) : database_(std::move(database)) {}
  Result<void> load_layouts();
  std::vector<std::pair<std::int64_t, std::size_t>> places(std::int64_t series) const;
  Result<std::vector<Sample>> journal_samples(std::int64_t series, Millis from, Millis to);
  Result<std::vector<Rollup>> journal_rollups(std::int64_t series, Tier tier, Millis from,
                                              Millis to);
  Result<void> raw_steps(std::int64_t series, Millis step, Millis from, Millis to,
                         const OnRollup& each);

  sqlite::Database database_;
  std::map<std::int64_t, std::vector<std::int64_t>> layouts_;
  std::uint64_t damaged_ = 0;
};

}  // namespace lightship::history
