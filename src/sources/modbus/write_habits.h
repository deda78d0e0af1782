// Which write functions a device takes, learned from its refusals.
//
// Many devices know only one of 6 and 16 (epsilonrt/mbpoll#32, andig/gosunspec#13), of 5 and 15,
// and few know 22. The natural one is tried first; a refusal makes us try the other, and what
// worked is remembered.
#pragma once

#include <optional>
#include <vector>

#include "codec/modbus/request.h"
#include "core/register_image.h"

namespace lightship::poller {

struct WriteHabits {
  std::optional<bool> one_register_by_16, one_coil_by_15;  // nothing: not learned
  bool no_mask_write = false;                              // 22 is unknown

  std::optional<bool>& by_many(Space space) {
    return space == Space::coils ? one_coil_by_15 : one_register_by_16;
  }
};

// The request for these registers, or coils of 0 and 1. `by_many`: 15 or 16 also for a single one.
modbus::Request write_request(Space space, std::uint16_t first,
                              const std::vector<std::uint16_t>& values, bool by_many);

// Exception 1 says it, 2 is what some say instead.
bool may_be_the_function(int exception);

}  // namespace lightship::poller
