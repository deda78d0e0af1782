// How the values move.
#include "sim/meter_model.h"

#include <cmath>
#include <numbers>

namespace lightship::sim {
namespace {

using namespace std::chrono_literals;

// A well mixed number in -1..1 for each step of each curve.
double dice(std::uint32_t seed, std::int64_t step) {
  auto x = static_cast<std::uint64_t>(step) * 0x9E3779B97F4A7C15u + seed * 0xD1B54A32D192ED03u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return static_cast<double>((x ^ x >> 31) >> 11) * 0x1p-52 - 1;
}

double bell(double hour, double middle, double width) {
  const double away = (hour - middle) / width;
  return std::exp(-away * away);
}

template <class Get>
double sum(const Supply& supply, Get get) {
  double all = 0;
  for (const auto& phase : supply.phases) all += get(phase);
  return all;
}

}  // namespace

double wobble(std::uint32_t seed, Time time, std::chrono::milliseconds period) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch());
  const auto step = since / period;
  const double part = static_cast<double>((since % period).count()) /
                      (1000.0 * static_cast<double>(period.count()));
  const double smooth = part * part * (3 - 2 * part);
  return std::lerp(dice(seed, step), dice(seed, step + 1), smooth);
}

double daily_load(Time time) {
  const auto of_day = time - std::chrono::floor<std::chrono::days>(time);
  const double hour = std::chrono::duration<double, std::ratio<3600>>(of_day).count();
  return 0.3 + 0.5 * bell(hour, 10, 3) + 0.55 * bell(hour, 17.5, 3.5);
}

double Phase::reactive_var() const {
  return apparent_va() * std::sqrt(1 - power_factor * power_factor);
}

double Supply::active_w() const {
  return sum(*this, [](const Phase& p) { return p.active_w(); });
}
double Supply::apparent_va() const {
  return sum(*this, [](const Phase& p) { return p.apparent_va(); });
}
double Supply::reactive_var() const {
  return sum(*this, [](const Phase& p) { return p.reactive_var(); });
}
double Supply::power_factor() const { return apparent_va() > 0 ? active_w() / apparent_va() : 1; }
double Supply::voltage() const {
  return sum(*this, [](const Phase& p) { return p.voltage; }) / 3;
}
double Supply::current() const {
  return sum(*this, [](const Phase& p) { return p.current; }) / 3;
}

double Supply::voltage_between(int a, int b) const {
  const double u = phases[static_cast<std::size_t>(a)].voltage,
               v = phases[static_cast<std::size_t>(b)].voltage;
  return std::sqrt(u * u + v * v + u * v);  // the cosine of 120 degrees is -1/2
}
double Supply::voltage_between() const {
  return (voltage_between(0, 1) + voltage_between(1, 2) + voltage_between(2, 0)) / 3;
}

const Supply& MeterModel::at(Time now) {
  const auto seed = traits_.seed * 64;
  const double power_before = supply_.active_w();
  supply_.frequency =
      50 + 0.02 * wobble(7, now, 12s) + 0.004 * wobble(8, now, 900ms);  // one grid for all meters
  for (std::uint32_t i = 0; i < 3; ++i) {
    auto& phase = supply_.phases[i];
    const double machines =
        0.16 * wobble(seed + 3 * i, now, 25s) + 0.05 * wobble(seed + 3 * i + 1, now, 4s);
    const double unbalance = 1 + 0.06 * (static_cast<double>(i) - 1);
    const double load = std::max(0.02, (daily_load(now) + machines) * unbalance);
    phase.current =
        traits_.full_current * load * (1 + 0.004 * wobble(seed + 3 * i + 2, now, 700ms));
    // The more is drawn the lower the voltage; the rest is the grid's own unrest.
    phase.voltage =
        232 - 3 * load + 1.2 * wobble(40 + i, now, 40s) + 0.3 * wobble(seed + 20 + i, now, 1100ms);
    phase.power_factor =
        std::min(0.999, traits_.power_factor + 0.015 * wobble(seed + 30 + i, now, 17s));
  }
  if (before_ && now > *before_) {
    const double hours = std::chrono::duration<double, std::ratio<3600>>(now - *before_).count();
    supply_.energy_wh += (power_before + supply_.active_w()) / 2 * hours;
  }
  if (!before_ || now > *before_) before_ = now;
  return supply_;
}

}  // namespace lightship::sim
