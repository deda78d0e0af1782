// lightship read: one-off reads over a line given as a URL, or of a configured device.
#pragma once

#include <filesystem>
#include <string>

#include "base/clock.h"

namespace lightship::cli {

struct ReadUrlOptions {
  std::string url, function = "holding", type, order = "ABCD";
  unsigned unit = 1, address = 0, count = 1;
  Duration timeout = std::chrono::seconds(3);
  bool json = false;
};
int read_url(const ReadUrlOptions& options);

struct ReadDeviceOptions {
  std::filesystem::path config_dir;
  std::string device, point;
  bool json = false;
};
int read_device(const ReadDeviceOptions& options);

}  // namespace lightship::cli
