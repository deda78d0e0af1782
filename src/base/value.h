// What a point can hold: nothing, a truth, a whole number with all its digits, a real, or a text.
//
// A Real remembers how it wants to be written, so that 230.1 from a 32-bit float is not shown as
// 230.10000610351562 and 0.1 x 2301 not as 230.10000000000002.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace lightship {

struct Real {
  static constexpr std::int8_t kShortest =
      -1;  // the shortest decimal that reads back as this double
  static constexpr std::int8_t kShortestFloat = -2;  // the same for a 32-bit or 16-bit float
  double value = 0;
  std::int8_t decimals =
      kShortest;  // or 0..17: rounded to that many decimals, zeros at the end dropped

  friend bool operator==(const Real&, const Real&) = default;
};

using Value = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, Real, std::string>;

inline bool has_value(const Value& value) { return !std::holds_alternative<std::monostate>(value); }

// The value as a double (a bool is 0 or 1); NaN for a text and for nothing.
double as_double(const Value& value);

// Writes the number as JSON can carry it, "null" for NaN and infinity, at the end of `out`.
void append_number(std::string& out, const Real& real);

// For people and tables: 230.1, true, "text" without quotes, "-" for nothing.
std::string to_text(const Value& value);

}  // namespace lightship
