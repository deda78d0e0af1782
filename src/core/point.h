// Points and devices as small integers; the names stand in the Catalog.
#pragma once

#include <cstdint>

namespace lightship {

enum class PointId : std::uint32_t {};
enum class DeviceId : std::uint32_t {};

constexpr std::uint32_t index(PointId id) { return static_cast<std::uint32_t>(id); }
constexpr std::uint32_t index(DeviceId id) { return static_cast<std::uint32_t>(id); }

}  // namespace lightship
