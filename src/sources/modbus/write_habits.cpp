// Chooses the function of a write.
#include "sources/modbus/write_habits.h"

#include "codec/modbus/exception.h"

namespace lightship::poller {

modbus::Request write_request(Space space, std::uint16_t first,
                              const std::vector<std::uint16_t>& values, bool by_many) {
  const bool many = by_many || values.size() != 1;
  if (space != Space::coils) {
    if (many) return modbus::WriteRegisters{first, values};
    return modbus::WriteRegister{first, values.front()};
  }
  if (!many) return modbus::WriteCoil{first, values.front() != 0};
  modbus::Bits coils(static_cast<std::uint16_t>(values.size()));
  for (std::size_t at = 0; at < values.size(); ++at) coils.set(at, values[at] != 0);
  return modbus::WriteCoils{first, std::move(coils)};
}

bool may_be_the_function(int exception) {
  return exception == modbus::code(modbus::Exception::illegal_function) ||
         exception == modbus::code(modbus::Exception::illegal_address);
}

}  // namespace lightship::poller
