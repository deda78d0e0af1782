// A map of plain memory.
#include "codec/modbus/server.h"

namespace lightship::modbus {
namespace {

template <class T>
bool holds(const std::vector<T>& values, std::uint16_t address, std::uint16_t count) {
  return std::size_t{address} + count <= values.size();
}

}  // namespace

bool MemoryMap::serves(Space space, std::uint16_t address, std::uint16_t count) const {
  switch (space) {
    case Space::coils:
      return holds(coils, address, count);
    case Space::discrete_inputs:
      return holds(discrete_inputs, address, count);
    case Space::input_registers:
      return holds(input, address, count);
    case Space::holding_registers:
      return holds(holding, address, count);
  }
  return false;
}

std::optional<Exception> MemoryMap::read(Space space, std::uint16_t address, Bits& bits) {
  const auto& values = space == Space::coils ? coils : discrete_inputs;
  for (std::size_t at = 0; at < bits.count; ++at) bits.set(at, values[address + at]);
  return std::nullopt;
}

std::optional<Exception> MemoryMap::read(Space space, std::uint16_t address,
                                         std::span<std::uint16_t> registers) {
  const auto& values = space == Space::input_registers ? input : holding;
  for (std::size_t at = 0; at < registers.size(); ++at) registers[at] = values[address + at];
  return std::nullopt;
}

std::optional<Exception> MemoryMap::write(std::uint16_t address, const Bits& values) {
  for (std::size_t at = 0; at < values.count; ++at) coils[address + at] = values[at];
  return std::nullopt;
}

std::optional<Exception> MemoryMap::write(std::uint16_t address,
                                          std::span<const std::uint16_t> values) {
  for (std::size_t at = 0; at < values.size(); ++at) holding[address + at] = values[at];
  return std::nullopt;
}

}  // namespace lightship::modbus
