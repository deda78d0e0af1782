// One point's open window: what it has been since the window began.
//
// A value holds until the next one, until a bad reading, or until it is older than `hold`: what it
// held counts for the average and the coverage. Least and greatest are those of the values read in
// the window; where none was read, the one that held. A value that comes late (before what is
// accounted for already) counts for these and not for the time.
#pragma once

#include "store/history/number.h"

namespace lightship::history {

class Window {
 public:
  void good(Time at, double value, Format format, Time open, Duration hold);
  void bad(Time at, Reason reason, std::uint8_t code, Duration hold);
  // What has been since `open`; the next part begins at `end`. False: nothing was heard of the
  // point and nothing held.
  bool close(Time open, Time end, Duration hold, Rollup& into);
  // The clock jumped back: what held is accounted for, the rest begins anew at `now`.
  void restart(Time now);

  bool holds() const { return held_; }
  double last() const { return last_; }

 private:
  void account(Time until, Duration hold);
  void begin();

  double min_ = 0, max_ = 0, last_ = 0;
  double integral_ = 0;  // value x microseconds
  Time since_{};         // accounted for until here
  Time read_at_{};       // when the newest value was read
  std::uint64_t good_us_ = 0;
  std::uint32_t count_ = 0;
  Format format_ = Format::f64;
  Reason reason_ = Reason::none;
  std::uint8_t code_ = 0;
  bool held_ : 1 = false, heard_ : 1 = false;
};

}  // namespace lightship::history
