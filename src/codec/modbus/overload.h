// The cases of a std::visit, side by side.
#pragma once

namespace lightship::modbus {

template <class... Cases>
struct Overload : Cases... {
  using Cases::operator()...;
};

}  // namespace lightship::modbus
