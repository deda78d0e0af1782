// What the gateway says of itself at GET /api/status, as far as the screen shows it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace lightship::cli {

struct Told {
  struct Device {
    bool online = false;
    std::string condition;
    double answer_ms = 0;
  };
  struct Line {
    std::string name, line;  // "main-panel", "serial /dev/pts/3 19200 8E1"
    double busy_percent = 0;
    std::string error;
  };
  std::map<std::string, Device> devices;
  std::vector<Line> lines;
  std::optional<std::uint64_t> waiting;  // in the outbox
  std::string broker_error;
};

// Members that are not there are left at their defaults.
Result<Told> read_status(std::string_view body);

}  // namespace lightship::cli
