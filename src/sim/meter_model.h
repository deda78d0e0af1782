// A three-phase supply as a meter would see it: plausible, consistent and slowly moving.
//
// Voltages stay around 230 V, currents follow the hours of a working day with machines coming and
// going, powers are U x I x PF of what is shown beside them, energy is the integral of the power.
// The same traits and times give the same values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace lightship::sim {

struct Phase {
  double voltage = 230;  // to neutral
  double current = 0;
  double power_factor = 1;

  double apparent_va() const { return voltage * current; }
  double active_w() const { return apparent_va() * power_factor; }
  double reactive_var() const;
};

struct Supply {
  std::array<Phase, 3> phases;
  double frequency = 50;
  double energy_wh = 0;

  double active_w() const;
  double apparent_va() const;
  double reactive_var() const;
  double power_factor() const;                 // of all three together
  double voltage() const;                      // mean, to neutral
  double voltage_between(int a, int b) const;  // the phases are 120 degrees apart
  double voltage_between() const;              // mean
  double current() const;                      // mean
};

struct MeterTraits {
  double full_current = 40;  // of each phase at the busiest hour, in A
  double power_factor = 0.93;
  double energy_wh = 1'234'567;  // on the counter at the start
  std::uint32_t seed = 1;
};

class MeterModel {
 public:
  explicit MeterModel(MeterTraits traits) : traits_(traits) {
    supply_.energy_wh = traits.energy_wh;
  }

  // The supply at that time. Energy counts the time since the call before; it never falls.
  const Supply& at(Time now);

 private:
  MeterTraits traits_;
  Supply supply_;
  std::optional<Time> before_;
};

// A smooth random curve between -1 and 1 with a new aim each `period`.
double wobble(std::uint32_t seed, Time time, std::chrono::milliseconds period);

// The part of the full load that is drawn at this hour of the (UTC) day, 0.25 to about 1.
double daily_load(Time time);

}  // namespace lightship::sim
