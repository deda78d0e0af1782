// The settings of the history: `communication.history` of communication.yaml.
#pragma once

#include "base/clock.h"
#include "config/fields.h"

namespace lightship::history {

enum class Store : std::uint8_t { all, on_change };

struct HistoryConfig {
  bool enabled = true;
  Store store = Store::all;
  double deadband = 0;
  Duration at_least_every = std::chrono::minutes(15);
  Duration raw = std::chrono::hours(24 * 30);
  Duration minute = std::chrono::hours(24 * 90);
  Duration hour = std::chrono::hours(24 * 365 * 5);
  Duration day = std::chrono::hours(24 * 365 * 20);
  config::ByteSize max_size{4'000'000'000};
  Duration commit_every = std::chrono::seconds(10);
  config::ByteSize write_budget{1'000'000'000};
};

void describe(config::Fields& f, HistoryConfig& c);

}  // namespace lightship::history
