// Decides what a counter's fall or leap was.
#include "store/history/counter.h"

#include <algorithm>
#include <cmath>

#include "store/history/number.h"

namespace lightship::history {
namespace {

double step_of(Format format, double value) {
  const auto byte = static_cast<unsigned>(format);
  if (byte >= 16 && byte <= 25) return std::pow(10.0, -static_cast<double>(byte - 16));
  if (byte >= 32 && byte <= 49) return std::pow(10.0, -static_cast<double>(byte - 32));
  if (format == Format::f32) return std::max(std::fabs(value) * 1.2e-7, 1e-6);
  if (format == Format::f64) return std::max(std::fabs(value) * 1e-12, 1e-6);
  return 1;
}

// The end of the register or display above `level` that leaves the shortest way round to `value`.
std::optional<double> way_round(double level, double value, double step, Format format) {
  std::optional<double> least;
  const auto consider = [&](double end) {
    if (end <= level || end <= value) return;
    const double way = end - level + value;
    if (!least || way < *least) least = way;
  };
  const bool whole = format != Format::f32 && format != Format::f64;
  if (whole) {
    for (const double bits : {65536.0, 2147483648.0, 4294967296.0}) consider(bits * step);
    for (int n = 4; n <= 12; ++n) consider(std::pow(10.0, n) * step);
  }
  for (int n = 4; n <= 10; ++n) consider(std::pow(10.0, n));
  return least;
}

}  // namespace

double unit_hours(std::string_view unit) {
  if (unit.starts_with('k')) return 1e-3;
  if (unit.starts_with('M')) return 1e-6;
  return unit.empty() ? 1e-3 : 1;
}

// As much as can have been counted: ten times what the power or the recent rate says.
double CounterJudge::expected(Millis from, Millis to, double power_w) const {
  const auto ms = static_cast<double>(std::max<Millis>(to - from, 0));
  double most = rate_ * ms;
  if (std::isfinite(power_w))
    most = std::max(most, std::fabs(power_w) * unit_hours_ * ms / 3'600'000);
  return 10 * most;
}

double CounterJudge::resume(Millis at, double value) {
  // One that was told before, or after a repair of the file, knows better by now.
  if (known_ && at > first_at_) return 0;
  if (!known_) {
    level_ = value;
    level_at_ = at;
    known_ = true;
    return 0;
  }
  if (first_ >= value) return first_ - value;
  // The reads so far are those that a fall waits for; the next one decides.
  doubts_ = {Doubt{first_at_, first_}, Doubt{level_at_, level_}};
  waiting_ = 2;
  up_ = false;
  const double counted = level_ - first_;
  level_ = value;
  level_at_ = at;
  return -counted;
}

CounterJudge::Verdict CounterJudge::read(Millis at, double value, Format format, double power_w) {
  if (!std::isfinite(value)) return {};
  if (!known_) {
    level_ = first_ = value;
    level_at_ = first_at_ = at;
    known_ = true;
    return {};
  }
  const double step = step_of(format, level_);
  // Rounding of floats may let a counter that stands still fall by its last bit.
  const bool fell = value < level_ - (format == Format::f32 || format == Format::f64 ? step : 0);
  if (waiting_ > 0) return settle(at, value, format, power_w);
  const double growth = std::max(value - level_, 0.0);
  // Without a power and a rate there is nothing to doubt a leap by.
  const bool judged = std::isfinite(power_w) ? rate_ > 0 || power_w != 0 : rate_ > 0;
  const double limit = std::max({expected(level_at_, at, power_w), 100 * step, level_ * 1e-3});
  const bool leapt = judged && growth > limit;
  if (!fell && !leapt) {
    const auto ms = static_cast<double>(std::max<Millis>(at - level_at_, 1));
    rate_ = rate_ == 0 ? growth / ms : rate_ + 0.1 * (growth / ms - rate_);
    level_ = std::max(level_, value);
    level_at_ = at;
    return {growth, {}};
  }
  up_ = !fell;
  doubts_[0] = {at, value};
  waiting_ = 1;
  return {};
}

CounterJudge::Verdict CounterJudge::settle(Millis at, double value, Format format, double power_w) {
  const double step = step_of(format, level_);
  const auto first = doubts_[0];
  const auto accept = [&](double increase, std::optional<CounterEvent::What> what, double after) {
    Verdict verdict{increase, {}};
    if (what) {
      verdict.event = CounterEvent{
          .at = first.at, .what = *what, .before = level_, .after = after, .increase = increase};
    }
    // A leap of one meter to another is no rate.
    if (!what || *what == CounterEvent::What::bad_read) {
      const auto ms = static_cast<double>(std::max<Millis>(at - level_at_, 1));
      rate_ += 0.1 * (increase / ms - rate_);
    }
    level_ = value;
    level_at_ = at;
    waiting_ = 0;
    return verdict;
  };
  const double tolerance = std::max({expected(level_at_, at, power_w), 100 * step, level_ * 1e-3});
  // Back where it was: the read before was wrong.
  const bool back = value >= level_ - step && value - level_ <= tolerance;
  if (back && (up_ ? value < first.value - step : true)) {
    return accept(std::max(value - level_, 0.0), CounterEvent::What::bad_read, first.value);
  }
  if (up_) {
    // It stays up: it was true, however fast (a gateway that was cut off, a meter that was blind).
    if (value >= first.value - step) return accept(value - level_, std::nullopt, 0);
    doubts_[0] = {at, value};
    up_ = value > level_;
    waiting_ = 1;
    return {};
  }
  const bool follows = value >= doubts_[waiting_ - 1].value - step;
  if (!follows) {  // it fell again: what came before is as wrong as can be
    doubts_[0] = {at, value};
    waiting_ = 1;
    return {};
  }
  if (waiting_ == 1) {
    doubts_[1] = {at, value};
    waiting_ = 2;
    return {};
  }
  const double since = value - first.value;
  const auto round = way_round(level_, first.value, step, format);
  const double allowed = std::max({expected(level_at_, first.at, power_w), 20 * step,
                                   std::isfinite(power_w) || rate_ > 0 ? 0.0 : level_ * 1e-3});
  if (round && *round <= allowed) {
    return accept(*round + since, CounterEvent::What::rolled_over, first.value);
  }
  const double near_zero =
      std::max({expected(level_at_, first.at, power_w), 100 * step, level_ * 1e-3});
  if (first.value <= near_zero && first.value < level_ / 2) {
    return accept(first.value + since, CounterEvent::What::reset, first.value);
  }
  return accept(since, CounterEvent::What::replaced, first.value);
}

}  // namespace lightship::history
