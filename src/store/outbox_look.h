// Looks into an outbox file without changing it, while a gateway uses it or not.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace lightship {

struct OutboxLook {
  struct Queue {
    std::string name;
    std::uint64_t alarms = 0, measurements = 0, bytes = 0;
    std::optional<Time> oldest;
  };
  struct Aside {
    std::int64_t id = 0;
    std::string queue, key, target, reason;
    std::uint64_t sequence = 0;
    Time at{}, timestamp{};
  };
  std::vector<Queue> queues;
  std::vector<Aside> aside;
};

Result<OutboxLook> look_into_outbox(const std::filesystem::path& file);

}  // namespace lightship
