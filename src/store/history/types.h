// What the history speaks of: tiers, samples, roll-ups and series.
//
// A sample is one value of one point at one time, or the reason why there was none. A roll-up says
// what a point did in one window of the UTC clock. Times are kept in whole milliseconds.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/value.h"
#include "core/event.h"

namespace lightship::history {

using Millis = std::int64_t;  // since 1970, UTC

inline Millis to_millis(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}
inline Time from_millis(Millis at) { return Time(std::chrono::milliseconds(at)); }

enum class Tier : std::uint8_t { raw, minute, hour, day };
constexpr Tier kTiers[] = {Tier::raw, Tier::minute, Tier::hour, Tier::day};
std::string_view to_string(Tier tier);
// Of one window; 0 for raw.
constexpr Millis window_of(Tier tier) {
  switch (tier) {
    case Tier::minute:
      return 60'000;
    case Tier::hour:
      return 3'600'000;
    case Tier::day:
      return 86'400'000;
    default:
      return 0;
  }
}
constexpr Millis floor_to(Millis at, Millis step) {
  const Millis rest = at % step;
  return at - (rest < 0 ? rest + step : rest);
}

enum class Kind : std::uint8_t {
  gauge,    // goes up and down
  counter,  // only grows: energy
  state,    // true or false
  text
};
std::string_view to_string(Kind kind);
// An energy by its unit or its name is a counter.
Kind kind_of(std::string_view point, std::string_view unit, const Value& value);

struct Series {
  std::int64_t id = 0;
  std::string name;  // main-panel/meter-1/voltage_l1
  std::string unit;
  Kind kind = Kind::gauge;
};

struct Sample {
  Millis at = 0;
  Value value;  // nothing where there is a reason
  Reason reason = Reason::none;
  std::uint8_t code = 0;
};

// How a number is written: the byte that stands in blobs. Whole numbers and scaled ones are kept as
// integers, floats by their bits, so that what is read back is written with the same digits.
enum class Format : std::uint8_t {
  i64 = 0,
  u64 = 1,
  truth = 2,
  f32 = 3,
  f64 = 4,
  text = 5,
  bad = 6,
  absent = 7,
  scaled = 16,   // + 0..9 decimals: the integer of value x 10^decimals
  rounded = 32,  // + 0..17 decimals: a double that is shown with so many
};

struct Rollup {
  Millis start = 0;
  double min = 0, max = 0, avg = 0, last = 0;  // of nothing where `good` and `count` are 0
  std::uint32_t count = 0;                     // values read in the window
  Millis good = 0;                             // how long of it there was a good value
  double increase = 0;                         // of a counter
  Format format = Format::f64;                 // of min, max and last
  Reason reason = Reason::none;                // why the newest bad reading was bad
  std::uint8_t code = 0;

  bool has_value() const { return count > 0 || good > 0; }
};

// `later` is of the same window and came after `into`.
void combine(Rollup& into, const Rollup& later);

// 100 for a whole window.
double coverage(const Rollup& rollup, Millis window);

// What a counter did that is not counting.
struct CounterEvent {
  enum class What : std::uint8_t { rolled_over, reset, replaced, bad_read };
  std::int64_t series = 0;
  Millis at = 0;
  What what = What::bad_read;
  double before = 0, after = 0;
  double increase = 0;  // what was counted for it
};
std::string_view to_string(CounterEvent::What what);

}  // namespace lightship::history
