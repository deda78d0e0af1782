// The part of the last minute in which at least one request was under way on a line.
//
// Twelve slots of five seconds: the answer covers 55 to 60 seconds, and less right after the start.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace lightship {

class BusyMeter {
 public:
  void begin(MonoTime now) {
    if (under_way_++ == 0) since_ = now;
    if (!started_) started_ = now;
  }
  void end(MonoTime now) {
    if (--under_way_ == 0) add(since_, now);
  }

  // Nothing before the first request.
  std::optional<double> percent(MonoTime now) const {
    if (!started_) return std::nullopt;
    auto copy = *this;
    if (under_way_ > 0) copy.add(copy.since_, now);
    const auto newest = slot_of(now);
    std::chrono::nanoseconds busy{};
    for (const auto& slot : copy.slots_) {
      if (slot.number > newest - static_cast<std::int64_t>(kSlots)) busy += slot.busy;
    }
    const MonoTime from(std::max<std::chrono::nanoseconds>(
        started_->time_since_epoch(), (newest - static_cast<std::int64_t>(kSlots) + 1) * kLength));
    const auto whole = now - from;
    if (whole.count() <= 0) return std::nullopt;
    return std::min(100.0, 100.0 * to_ms(busy) / to_ms(whole));
  }

 private:
  static constexpr std::size_t kSlots = 12;
  static constexpr std::chrono::nanoseconds kLength = std::chrono::seconds(5);
  struct Slot {
    std::int64_t number = -1;
    std::chrono::nanoseconds busy{};
  };
  static std::int64_t slot_of(MonoTime at) { return at.time_since_epoch() / kLength; }

  void add(MonoTime from, MonoTime to) {
    const auto last = slot_of(to);
    for (auto number = std::max(slot_of(from), last - static_cast<std::int64_t>(kSlots) + 1);
         number <= last; ++number) {
      auto& slot = slots_[static_cast<std::size_t>(number) % kSlots];
      if (slot.number != number) slot = {number, {}};
      const MonoTime begin(number * kLength), end((number + 1) * kLength);
      slot.busy += std::min(to, end) - std::max(from, begin);
    }
  }

  unsigned under_way_ = 0;
  MonoTime since_{};
  std::optional<MonoTime> started_;
  std::array<Slot, kSlots> slots_{};
};

}  // namespace lightship
