// A counter that falls: rolled over, reset, replaced by another meter, or read wrongly.
//
// Energy never falls (docs/meters). When it does, the two reads after it decide: those that return
// to the old level make it a bad read; those that stay below it are a roll-over when the way to the
// end of the register and on from 0 is as far as the power and the time allow, a reset when the
// count begins near 0, else another meter. A leap up that the power cannot explain waits for the
// next read in the same way. What was counted is right in each case; the increase of the reads that
// wait is given when they are decided. Pure.
#pragma once

#include <array>
#include <optional>

#include "store/history/types.h"

namespace lightship::history {

class CounterJudge {
 public:
  struct Verdict {
    double increase = 0;
    std::optional<CounterEvent> event;
  };

  // `unit_hours`: how many of the counter's units a watt makes in an hour: 0.001 for kWh.
  explicit CounterJudge(double unit_hours = 0.001) : unit_hours_(unit_hours) {}

  // A good read. `format` tells the smallest step; `power_w` is the newest power of the device, NaN
  // where there is none.
  Verdict read(Millis at, double value, Format format, double power_w);

  // Where the counter stood before the program began. Returns what it counted from there to its
  // first read, where that came sooner and is not less; a first read that is less is judged like
  // any other fall.
  double resume(Millis at, double value);

 private:
  struct Doubt {
    Millis at = 0;
    double value = 0;
  };
  double expected(Millis from, Millis to, double power_w) const;
  Verdict settle(Millis at, double value, Format format, double power_w);

  double unit_hours_;
  double level_ = 0;  // the newest that is trusted
  double rate_ = 0;   // a recent one, per ms
  Millis level_at_ = 0;
  std::array<Doubt, 2> doubts_{};
  std::uint8_t waiting_ = 0;
  double first_ = 0;
  Millis first_at_ = 0;
  bool known_ = false, up_ = false;
};

// For CounterJudge: 0.001 for kWh, kvarh and kVAh, 1 for Wh, 1e-6 for MWh.
double unit_hours(std::string_view unit);

}  // namespace lightship::history
