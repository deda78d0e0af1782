// What listening to a line adds up to: who answers, how fast, who is asked what, how full it is.
//
// Pure; bounded: a line that babbles does not make it grow.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "codec/modbus/overheard.h"

namespace lightship::poller {

// Times with their quantiles. Beyond a few thousand every second one is forgotten, so what is left
// still covers all of the time.
class AnswerTimes {
 public:
  void add(std::chrono::nanoseconds time);
  std::size_t count() const { return count_; }
  std::chrono::nanoseconds quantile(double part) const;  // 0 when there are none
  std::chrono::nanoseconds max() const { return max_; }

 private:
  std::vector<std::chrono::nanoseconds> kept_;
  std::size_t count_ = 0, every_ = 1;
  std::chrono::nanoseconds max_{};
};

struct UnitReport {
  std::uint64_t requests = 0, answers = 0;  // exceptions are answers
  std::uint64_t repeated = 0, unanswered = 0;
  std::uint64_t wrong = 0, unasked = 0;  // see Overheard::Fit
  std::uint64_t damaged = 0;             // frames that begin with this unit and a bad check
  std::map<int, std::uint64_t> exceptions;
  AnswerTimes answer_times;
};

// What is asked again and again.
struct AskedRange {
  std::uint8_t unit = 0, function = 0;
  std::uint16_t address = 0, count = 0;
  friend auto operator<=>(const AskedRange&, const AskedRange&) = default;
};
struct AskedHow {
  std::uint64_t times = 0;
  std::chrono::nanoseconds first{}, last{};
  // The mean time from one to the next; nothing after a single one.
  std::optional<std::chrono::nanoseconds> interval() const;
};

class LineReport {
 public:
  void take(const modbus::Overheard& heard);

  const std::map<std::uint8_t, UnitReport>& units() const { return units_; }
  const std::map<AskedRange, AskedHow>& asked() const { return asked_; }
  std::uint64_t requests() const { return requests_; }
  std::uint64_t answers() const { return answers_; }
  std::uint64_t damaged() const { return damaged_; }
  std::uint64_t noise_bytes() const { return noise_bytes_; }
  std::uint64_t bytes() const { return bytes_; }

  // The part of `whole` in which bits were on the line, by the length of a character.
  double load(std::chrono::nanoseconds character, std::chrono::nanoseconds whole) const;

 private:
  void take_request(const modbus::Overheard& heard);
  void take_answer(const modbus::Overheard& heard);

  std::map<std::uint8_t, UnitReport> units_;
  std::map<AskedRange, AskedHow> asked_;
  std::optional<std::uint8_t> open_;  // the unit whose answer is awaited
  std::uint64_t requests_ = 0, answers_ = 0, damaged_ = 0, noise_bytes_ = 0, bytes_ = 0;
};

// The addresses that a request is about; nothing for those that have none.
std::optional<AskedRange> range_of(std::uint8_t unit, const modbus::Request& request);

}  // namespace lightship::poller
