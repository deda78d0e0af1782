// What may be written to a point: the values and how often. The configuration of one register.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "base/value.h"
#include "codec/modbus/encode_value.h"

namespace lightship::poller {

struct WriteRule {
  // Not said: a write by name is refused; one in registers (through the Modbus gateway) is let
  // through where the device allows writing. `false` refuses both.
  std::optional<bool> writable;
  std::optional<double> least, most;
  std::optional<double> step;  // counted from `least`, else from 0
  Duration min_interval{};     // between two writes

  bool is_guarded() const { return least || most || step; }
  friend bool operator==(const WriteRule&, const WriteRule&) = default;
};

// The value as the point has it: a text from a command line becomes a number, a truth or a name.
// Errc::invalid for what is none, NaN and infinity included.
Result<Value> value_for(const modbus::PointSpec& spec, const Value& given);

// Within range and on a step.
Result<void> check_rule(const WriteRule& rule, const modbus::PointSpec& spec, const Value& value);

// The registers of a value that they hold exactly, as far as their type can: 12.5 is no uint16,
// 23.14 no multiple of 0.1, 32768 of a type whose mark for "no value" it is means something else.
Result<modbus::Laid> lay_exactly(const modbus::PointSpec& spec, const Value& value,
                                 std::optional<std::int16_t> power);

// Equal as far as the type can tell.
bool is_same(const modbus::PointSpec& spec, const Value& one, const Value& other);

}  // namespace lightship::poller
