// Counters and gauges of the whole program, written as Prometheus text (exposition format 0.0.4).
//
// A counter is a plain integer on the field loop: counting costs one addition. A series is got by
// name and labels and stays for the life of the program, so a restarted part goes on counting.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lightship {

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Counter {
  std::uint64_t value = 0;
  Counter& operator++() {
    ++value;
    return *this;
  }
  Counter& operator+=(std::uint64_t more) {
    value += more;
    return *this;
  }
};

class Metrics {
 public:
  // `name` without prefix: "modbus_polls_total" becomes lightship_modbus_polls_total.
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});

  // Read when asked for; replaced when set again with the same labels.
  void gauge(std::string_view name, std::string_view help, Labels labels,
             std::function<double()> read);
  void remove_gauges(
      const std::pair<std::string, std::string>& label);  // those that carry this label

  std::string prometheus() const;

  // Of all labels together; 0 where there is no such counter (yet).
  std::uint64_t total(std::string_view counter) const;
  // One for each label, read now.
  std::vector<double> values(std::string_view gauge) const;

 private:
  struct Family {
    std::string help, type;
    std::map<std::string, Counter*> counters;  // by rendered labels
    std::map<std::string, std::function<double()>> gauges;
  };
  std::deque<Counter> counters_;
  std::map<std::string, Family, std::less<>> families_;
};

}  // namespace lightship
