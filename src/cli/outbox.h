// lightship outbox: what waits on disk, and what was set aside and why.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace lightship::cli {
int outbox(const std::filesystem::path& data_dir, bool json);

struct OutboxOrder {
  enum class What { retry, discard } what = What::retry;
  std::string queue;    // retry: empty is all
  std::int64_t id = 0;  // of one that was set aside; 0: all of them
  std::filesystem::path config_dir, data_dir;
};
// By the gateway that runs with the configuration directory, or where none has the data directory,
// on the file itself.
int outbox(const OutboxOrder& order);
}  // namespace lightship::cli
