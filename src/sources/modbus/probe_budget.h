// What the silent devices of a line may cost the others, all together.
//
// They are probed one after the other, each when its own pause is over, and so rarely that brief
// probes get 1/64 and patient ones, which wait as long as is allowed, 1/90 of the line's time: 2.7
// % in all. How soon a device that returns is found follows from that: docs/modbus.md.
#pragma once

#include <algorithm>
#include <list>

#include "base/clock.h"

namespace lightship::poller {

class ProbeBudget {
 public:
  static constexpr int kBrief = 64, kPatient = 90;
  // The request itself and the silence around it, at 9600 baud.
  static constexpr Duration kRequest = std::chrono::milliseconds(20);
  // Right after a device fell silent nobody is waited for patiently.
  static constexpr auto kFirstPatient = std::chrono::minutes(1);
  // Who is not next looks again after this.
  static constexpr auto kLookAgain = std::chrono::milliseconds(250);

  // `who` is silent, and its own pause ends at `due`.
  void silent(const void* who, MonoTime due, MonoTime now) {
    if (const auto known = find(who); known != waiting_.end()) {
      known->due = due;
      return;
    }
    if (waiting_.empty()) next_patient_ = std::max<MonoTime>(next_patient_, now + kFirstPatient);
    waiting_.push_back({who, due, least_patient()});
  }
  void answers(const void* who) {
    if (const auto known = find(who); known != waiting_.end()) waiting_.erase(known);
  }

  // When `who` may be probed: not after `now`, or when to ask again.
  MonoTime due(const void* who, MonoTime own, MonoTime now) const {
    if (const auto soonest = std::max(own, next_brief_); soonest > now) return soonest;
    for (const auto& one : waiting_) {
      if (one.due <= now) return one.who == who ? now : now + kLookAgain;
    }
    return own;
  }

  // The probe begins. True: it is a patient one.
  bool begins(const void* who, Duration brief, Duration patient, MonoTime now) {
    const auto known = find(who);
    if (known == waiting_.end()) return false;
    const bool is_patient = now >= next_patient_ && known->patient <= least_patient();
    if (is_patient) {
      ++known->patient;
      next_patient_ = now + kPatient * (patient + kRequest);
    } else {
      next_brief_ = now + kBrief * (brief + kRequest);
    }
    known->due = MonoTime::max();  // until it has ended
    waiting_.splice(waiting_.end(), waiting_, known);
    return is_patient;
  }

 private:
  struct Waiting {
    const void* who;
    MonoTime due;
    unsigned patient = 0;  // patient probes it had
  };
  std::list<Waiting>::iterator find(const void* who) {
    return std::ranges::find(waiting_, who, &Waiting::who);
  }
  unsigned least_patient() const {
    const auto least = std::ranges::min_element(waiting_, {}, &Waiting::patient);
    return least == waiting_.end() ? 0 : least->patient;
  }

  std::list<Waiting> waiting_;  // who was probed last is last
  MonoTime next_brief_{}, next_patient_{};
};

}  // namespace lightship::poller
