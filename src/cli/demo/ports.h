// The three ports of the demo.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"

namespace lightship::cli {

// A free TCP port of the loopback. `named` is what the user said: 0 for any, else it must be free
// (unavailable, with who holds it). Without a word `usual` is taken when it is free, else any.
Result<std::uint16_t> choose_port(std::optional<std::uint16_t> named, std::uint16_t usual);

bool somebody_listens(std::uint16_t port);

}  // namespace lightship::cli
