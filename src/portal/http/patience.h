// How long a peer may take for what it is sent.
#pragma once

#include <chrono>
#include <cstddef>

namespace lightship::portal {

constexpr auto kPatience = std::chrono::seconds(20);  // with one who takes nothing
constexpr std::size_t kSlowest = 4096;  // bytes a second: much over a thin line takes longer

constexpr std::chrono::seconds write_patience(std::size_t bytes) {
  return kPatience + std::chrono::seconds(bytes / kSlowest);
}

}  // namespace lightship::portal
