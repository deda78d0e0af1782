// Writing values: shortest decimals, fixed decimals, all digits of a 64-bit integer.
#include "base/value.h"

#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace lightship {
namespace {

// Very large and very small numbers are written with an exponent, as JSON allows; the others
// plainly.
template <class T>
void append_shortest(std::string& out, T value) {
  char text[64];
  const double size = std::fabs(static_cast<double>(value));
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e15);
  const auto end = plain ? std::to_chars(text, text + sizeof text, value, std::chars_format::fixed)
                         : std::to_chars(text, text + sizeof text, value);
  out.append(text, end.ptr);
}

}  // namespace

double as_double(const Value& value) {
  switch (value.index()) {
    case 1:
      return std::get<bool>(value) ? 1 : 0;
    case 2:
      return static_cast<double>(std::get<std::int64_t>(value));
    case 3:
      return static_cast<double>(std::get<std::uint64_t>(value));
    case 4:
      return std::get<Real>(value).value;
    default:
      return std::numeric_limits<double>::quiet_NaN();
  }
}

void append_number(std::string& out, const Real& real) {
  if (!std::isfinite(real.value)) {
    out += "null";
    return;
  }
  if (real.decimals == Real::kShortestFloat)
    return append_shortest(out, static_cast<float>(real.value));
  if (real.decimals < 0 || std::fabs(real.value) >= 1e15) return append_shortest(out, real.value);

  const std::size_t start = out.size();
  fmt::format_to(std::back_inserter(out), "{:.{}f}", real.value, static_cast<int>(real.decimals));
  if (real.decimals > 0) {
    while (out.back() == '0') out.pop_back();
    if (out.back() == '.') out.pop_back();
  }
  if (std::string_view(out).substr(start) == "-0") out.replace(start, 2, "0");
}

std::string to_text(const Value& value) {
  switch (value.index()) {
    case 1:
      return std::get<bool>(value) ? "true" : "false";
    case 2:
      return fmt::to_string(std::get<std::int64_t>(value));
    case 3:
      return fmt::to_string(std::get<std::uint64_t>(value));
    case 4: {
      const auto& real = std::get<Real>(value);
      if (std::isnan(real.value)) return "NaN";
      if (std::isinf(real.value)) return real.value < 0 ? "-Infinity" : "Infinity";
      std::string text;
      append_number(text, real);
      return text;
    }
    case 5:
      return std::get<std::string>(value);
    default:
      return "-";
  }
}

}  // namespace lightship
