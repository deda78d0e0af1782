// What arrives at the broker, as a subscriber sees it. Nothing here comes from inside the gateway.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/value.h"

namespace lightship::cli {

struct HeardDevice {
  std::string id;  // "main-panel/incomer"
  bool online = false;
  std::string trouble;  // why a point has no value: "timeout"
  MonoTime arrived{};
  double poll_ms = 0;
  std::uint64_t messages = 0, sequence = 0;
  std::map<std::string, Value> values;
  std::map<std::string, std::string> units;

  // A value as people read it, "26.4 kW", the name of a bit that is set; empty where there is
  // nothing.
  std::string shown(std::string_view point) const;
};

// Longer than this without a message is no news: three intervals.
inline constexpr auto kOld = std::chrono::seconds(3);

class Feed {
 public:
  // Takes a measurement message (src/sinks/mqtt/README.md). What is none is passed over.
  void take(std::string_view payload, MonoTime now);

  const std::vector<HeardDevice>& devices() const { return devices_; }  // by id
  std::uint64_t messages() const { return messages_; }
  std::uint64_t missing() const { return missing_; }  // gaps in the sequence numbers
  std::uint64_t repeated() const {
    return repeated_;
  }  // delivered twice, as is allowed after an outage
  std::size_t online(MonoTime now) const;  // and heard of lately
  double rate(MonoTime now) const;         // messages a second, over the last ten
  std::optional<Duration> newest_age(MonoTime now) const;
  double power_w() const;  // of all devices that have any

 private:
  HeardDevice& device(std::string id);

  std::vector<HeardDevice> devices_;
  std::deque<MonoTime> recent_;
  std::uint64_t messages_ = 0, missing_ = 0, repeated_ = 0;
  MonoTime first_{};
};

// "26.4" with "kW" for 26432 W: at most four digits, and the prefix they need.
std::string for_reading(double value, std::string unit);

}  // namespace lightship::cli
