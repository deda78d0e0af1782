// lightship scan: which units answer on a line, and what they say they are.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace CLI {
class App;
}

namespace lightship::cli {

struct ScanOptions {
  std::string url, units;
  Duration listen = std::chrono::seconds(3);  // before anything is sent on a serial line
  std::optional<Duration> timeout;            // the wait for each unit; learned unless given
  bool force = false;                         // although another master is heard
  bool yaml = false, json = false;
};
CLI::App* add_scan(CLI::App& program, ScanOptions& options);
int scan(const ScanOptions& options);

}  // namespace lightship::cli
