// How the polls of one device went: the last 60 minutes and the last 24 hours, in 370 bytes.
//
// A slot belongs to a minute (an hour) of the steady clock and is emptied when it is used again;
// a poll costs a division and two additions.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace lightship {

class PollRecord {
 public:
  static constexpr std::uint8_t kNone = 255;
  static constexpr std::size_t kMinutes = 60, kHours = 24;

  void add(bool good, MonoTime now) {
    const auto minute = minute_of(now);
    if (minute != minute_) turn_to(minute);
    ++now_.all;
    now_.good += good ? 1 : 0;
  }

  // Percent of good polls of each of the last 60 minutes, the running one last; kNone: no polls.
  std::array<std::uint8_t, kMinutes> minutes(MonoTime now) const {
    std::array<std::uint8_t, kMinutes> out;
    out.fill(kNone);
    const auto newest = minute_of(now);
    for (std::size_t back = 0; back < kMinutes; ++back) {
      const auto minute = newest - static_cast<std::int64_t>(back);
      if (minute > minute_ || minute + static_cast<std::int64_t>(kMinutes) <= minute_) continue;
      out[kMinutes - 1 - back] =
          minute == minute_ ? percent(now_) : minutes_[slot(minute, kMinutes)];
    }
    return out;
  }

  // Percent of good polls of the last 24 hours; nothing when there were none.
  std::optional<double> success(MonoTime now) const {
    const auto hour = minute_of(now) / 60;
    Count sum = hour - minute_ / 60 < static_cast<std::int64_t>(kHours) ? now_ : Count{};
    for (std::size_t back = 0; back < kHours; ++back) {
      const auto which = hour - static_cast<std::int64_t>(back);
      const auto& of = hours_[slot(which, kHours)];
      if (of.hour != static_cast<std::int32_t>(which)) continue;
      sum.all += of.count.all;
      sum.good += of.count.good;
    }
    if (sum.all == 0) return std::nullopt;
    return 100.0 * sum.good / sum.all;
  }

 private:
  struct Count {
    std::uint32_t all = 0, good = 0;
  };
  struct Hour {
    std::int32_t hour = -1;
    Count count;
  };
  static std::int64_t minute_of(MonoTime at) {
    return std::chrono::floor<std::chrono::minutes>(at.time_since_epoch()).count();
  }
  static std::size_t slot(std::int64_t which, std::size_t of) {
    const auto n = static_cast<std::int64_t>(of);
    return static_cast<std::size_t>((which % n + n) % n);
  }
  static std::uint8_t percent(const Count& count) {
    if (count.all == 0) return kNone;
    // Nearly all is not all.
    return static_cast<std::uint8_t>(std::uint64_t{100} * count.good / count.all);
  }

  void turn_to(std::int64_t minute) {
    if (now_.all > 0) {
      minutes_[slot(minute_, kMinutes)] = percent(now_);
      const auto hour = minute_ / 60;
      auto& of = hours_[slot(hour, kHours)];
      if (of.hour != static_cast<std::int32_t>(hour)) of = {static_cast<std::int32_t>(hour), {}};
      of.count.all += now_.all;
      of.count.good += now_.good;
    }
    const auto skipped = std::min<std::int64_t>(minute - minute_ - 1, kMinutes);
    for (std::int64_t i = 1; i <= skipped; ++i) minutes_[slot(minute_ + i, kMinutes)] = kNone;
    if (now_.all == 0 && minute_ >= 0) minutes_[slot(minute_, kMinutes)] = kNone;
    minute_ = minute;
    now_ = {};
  }

  static constexpr std::array<std::uint8_t, kMinutes> none() {
    std::array<std::uint8_t, kMinutes> all{};
    all.fill(kNone);
    return all;
  }
  std::int64_t minute_ = -1;
  Count now_;
  std::array<std::uint8_t, kMinutes> minutes_ = none();
  std::array<Hour, kHours> hours_{};
};

}  // namespace lightship
