// How many decimals a number has.
#include <algorithm>
#include <charconv>

#include "codec/modbus/decode_value.h"

namespace lightship::modbus {
namespace {

constexpr int kMostDecimals = 17;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::int8_t decimals_of(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  int digits = 0;
  int decimals = 0;
  int zeros = 0;  // at the end of the decimals: "0.10" has one decimal
  bool behind_point = false;
  while (!text.empty() && (is_digit(text.front()) || (text.front() == '.' && !behind_point))) {
    if (text.front() == '.') {
      behind_point = true;
    } else {
      ++digits;
      if (behind_point) {
        ++decimals;
        zeros = text.front() == '0' ? zeros + 1 : 0;
      }
    }
    text.remove_prefix(1);
  }
  if (digits == 0) return Real::kShortest;
  decimals -= zeros;

  if (!text.empty()) {
    if (text.front() != 'e' && text.front() != 'E') return Real::kShortest;
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    int exponent = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return Real::kShortest;
    if (exponent < -400 || exponent > 400) return Real::kShortest;
    decimals -= exponent;
  }
  if (decimals > kMostDecimals) return Real::kShortest;
  return static_cast<std::int8_t>(std::max(decimals, 0));
}

std::int8_t decimals_of(double number) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, number);
  return decimals_of(std::string_view(text, end.ptr));
}

std::int8_t decimals_of(double scale, double offset) {
  const auto of_scale = decimals_of(scale);
  const auto of_offset = decimals_of(offset);
  if (of_scale < 0 || of_offset < 0) return Real::kShortest;
  return std::max(of_scale, of_offset);
}

}  // namespace lightship::modbus
