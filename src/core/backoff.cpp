// Doubling pauses.
#include "core/backoff.h"

#include <algorithm>

namespace lightship {

Duration Backoff::next() {
  const unsigned doublings = std::min(failures_++, 30u);
  const double whole = std::min(
      static_cast<double>(settings_.first.count()) * static_cast<double>(1ull << doublings),
      static_cast<double>(settings_.limit.count()));
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  const double part = static_cast<double>(random_ >> 11) / static_cast<double>(1ull << 53);
  return Duration(static_cast<std::int64_t>(whole * (1 - settings_.jitter * part)));
}

}  // namespace lightship
