// lightship write: one guarded write to a named point, through the running gateway where there is
// one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.h"

namespace lightship::cli {

struct WriteOptions {
  std::filesystem::path config_dir, data_dir;
  std::string device, point, value;
  std::optional<std::string> expected;
  Duration timeout = std::chrono::seconds(10);
  bool json = false;
};
int write(const WriteOptions& options);

}  // namespace lightship::cli
