// The supervisor: keeps a runner running, with growing pauses, and says once why it stopped.
#pragma once

#include "core/backoff.h"
#include "core/part.h"

namespace lightship {

struct PartState {
  std::string name;
  Part::Kind kind{};
  enum class Life { starting, running, pausing, stopping, stopped } life = Life::starting;
  std::string last_error;
  Time since{};
  std::uint64_t restarts = 0;
};

// A run that lasted this long was a success: the next pause is the first one again.
constexpr auto kGoodRun = std::chrono::seconds(60);

Task<void> supervise(Context& context, Runner& runner, PartState& state, Backoff::Settings pauses);

std::string_view to_string(PartState::Life life);

}  // namespace lightship
