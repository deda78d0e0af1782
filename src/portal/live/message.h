// What a client says on the live feed: {"subscribe":[...],"unsubscribe":[...]}, {"resume":{...}},
// {"ping":1}; one message may say several.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace lightship::portal {

struct LiveMessage {
  static constexpr std::size_t kMostNames = 64;     // in one message
  static constexpr std::size_t kLongestName = 256;  // of a topic

  std::vector<std::string> subscribe, unsubscribe;
  std::vector<std::pair<std::string, std::uint64_t>>
      resume;  // topic and the last seq that is known
  std::optional<std::int64_t> ping;
};

// Errc::invalid says what was found and what was expected.
Result<LiveMessage> read_live_message(std::string_view text);

}  // namespace lightship::portal
