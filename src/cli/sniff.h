// lightship sniff: listens to a line without sending a byte.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace CLI {
class App;
}

namespace lightship::cli {

struct SniffOptions {
  std::string url;
  std::optional<Duration> seconds;  // absent: until a signal
  bool find = false;                // find the rate first, unless the URL gives one
  bool json = false;
};
CLI::App* add_sniff(CLI::App& program, SniffOptions& options);
int sniff(const SniffOptions& options);

}  // namespace lightship::cli
