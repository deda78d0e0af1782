// Accounts for what a point was in its window.
#include "store/history/window.h"

#include <algorithm>

namespace lightship::history {

void Window::account(Time until, Duration hold) {
  if (!held_) return;
  const auto expires = read_at_ + hold;
  const auto end = std::min(until, expires);
  if (end > since_) {
    const auto lasted = (end - since_).count();
    integral_ += last_ * static_cast<double>(lasted);
    good_us_ += static_cast<std::uint64_t>(lasted);
    since_ = end;
  }
  if (until > expires) held_ = false;
}

void Window::good(Time at, double value, Format format, Time open, Duration hold) {
  if (at >= open) {  // else it is of a window that is closed: what holds is all it can say
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = count_ == 0 ? value : std::max(max_, value);
    ++count_;
    heard_ = true;
  }
  if (at < read_at_) return;  // late
  account(at, hold);
  last_ = value;
  format_ = format;
  read_at_ = at;
  since_ = std::max({since_, at, open});
  held_ = true;
}

void Window::bad(Time at, Reason reason, std::uint8_t code, Duration hold) {
  if (held_ && at < read_at_) return;  // late: what is known now is newer
  account(at, hold);
  held_ = false;
  heard_ = true;
  reason_ = reason;
  code_ = code;
}

bool Window::close(Time open, Time end, Duration hold, Rollup& into) {
  account(end, hold);
  const bool any = heard_ || good_us_ > 0;
  if (any) {
    into.start = floor_to(to_millis(open), window_of(Tier::minute));
    into.count = count_;
    into.good = (static_cast<Millis>(good_us_) + 500) / 1000;
    into.format = format_;
    into.reason = reason_;
    into.code = code_;
    into.increase = 0;
    if (count_ > 0 || good_us_ > 0) {
      into.last = last_;
      into.min = count_ > 0 ? min_ : last_;
      into.max = count_ > 0 ? max_ : last_;
      into.avg = good_us_ > 0 ? integral_ / static_cast<double>(good_us_) : last_;
    }
  }
  begin();
  since_ = std::max(since_, end);
  return any;
}

void Window::begin() {
  integral_ = 0;
  count_ = 0;
  good_us_ = 0;
  heard_ = false;
  reason_ = Reason::none;
  code_ = 0;
}

void Window::restart(Time now) {
  begin();
  held_ = false;
  since_ = read_at_ = now;
}

}  // namespace lightship::history
