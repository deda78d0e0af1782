// Judges values before they are written.
#include "sources/modbus/write_rule.h"

#include <charconv>
#include <cmath>

#include "base/text.h"

namespace lightship::poller {
namespace {

using modbus::DataType;

std::optional<std::uint64_t> named(const modbus::PointSpec& spec, std::string_view text) {
  for (const auto& [number, name] : spec.names) {
    if (name == text) return number;
  }
  return std::nullopt;
}

bool is_truth(DataType type) { return type == DataType::boolean || type == DataType::bit; }

template <class T>
std::optional<T> whole_text(std::string_view text, int base) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

// "7", "-7", "+7", "0x10": as people write numbers of registers.
std::optional<Value> number_text(std::string_view text) {
  const bool minus = text.starts_with('-');
  const auto digits = text.substr(minus || text.starts_with('+') ? 1 : 0);
  if (digits.starts_with('-') || digits.starts_with('+')) return std::nullopt;
  if (digits.starts_with("0x")) {
    const auto number = whole_text<std::uint64_t>(digits.substr(2), 16);
    if (!number || (minus && *number > 1ULL << 62)) return std::nullopt;
    if (minus) return Value(-static_cast<std::int64_t>(*number));
    if (*number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return Value(static_cast<std::int64_t>(*number));
    return Value(*number);
  }
  const auto plain = minus ? text : digits;
  if (const auto number = whole_text<std::int64_t>(plain, 10)) return Value(*number);
  if (const auto number = whole_text<std::uint64_t>(plain, 10)) return Value(*number);
  double number = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), number);
  if (error != std::errc() || end != plain.data() + plain.size() || !std::isfinite(number))
    return std::nullopt;
  return Value(Real{number, Real::kShortest});
}

Result<Value> from_text(const modbus::PointSpec& spec, const std::string& text) {
  if (spec.type == DataType::string || named(spec, text)) return Value(text);
  const auto word = to_lower(trim(text));
  if (is_truth(spec.type)) {
    if (word == "true" || word == "on" || word == "1") return Value(true);
    if (word == "false" || word == "off" || word == "0") return Value(false);
    return fail(Errc::invalid, "'{}' is neither true nor false", text);
  }
  if (auto number = number_text(word)) return *number;
  std::vector<std::string> names;
  for (const auto& [number, name] : spec.names) names.push_back(name);
  return fail(Errc::invalid, "'{}' is no number that can be written (such as 42, -1.5 or 0x2A){}",
              text, names.empty() ? "" : " and none of the names " + join(names, ", "));
}

double number_of(const modbus::PointSpec& spec, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (const auto number = named(spec, *text))
      return static_cast<double>(static_cast<std::int64_t>(*number));
  }
  return as_double(value);
}

std::optional<__int128> whole(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number;
  return std::nullopt;
}

// Of numbers that a float can hold: half of its last binary digit, generously.
double relative_resolution(DataType type) {
  switch (type) {
    case DataType::float16:
      return 1e-3;
    case DataType::float32:
    case DataType::pf4q:
      return 1e-6;
    default:
      return 1e-12;
  }
}

std::string range_text(const WriteRule& rule) {
  return fmt::format("{} to {}", rule.least ? to_text(Real{*rule.least}) : "anything",
                     rule.most ? to_text(Real{*rule.most}) : "anything");
}

}  // namespace

Result<Value> value_for(const modbus::PointSpec& spec, const Value& given) {
  if (!has_value(given)) return fail(Errc::invalid, "there is no value to write");
  if (const auto* text = std::get_if<std::string>(&given)) return from_text(spec, *text);
  if (spec.type == DataType::string)
    return fail(Errc::invalid, "{} is a number, the point holds a text", to_text(given));
  if (std::holds_alternative<bool>(given) && !is_truth(spec.type))
    return fail(Errc::invalid, "{} is no number", to_text(given));
  if (!std::isfinite(as_double(given)))
    return fail(Errc::invalid, "{} is no number that can be written", to_text(given));
  if (is_truth(spec.type)) {
    const double number = as_double(given);
    if (number != 0 && number != 1)
      return fail(Errc::invalid, "{} is neither true nor false", to_text(given));
    return Value(number == 1);
  }
  return given;
}

Result<void> check_rule(const WriteRule& rule, const modbus::PointSpec& spec, const Value& value) {
  if (!rule.is_guarded()) return {};
  const double number = number_of(spec, value);
  if (std::isnan(number))
    return fail(Errc::invalid, "'{}' is no number, and the range is {}", to_text(value),
                range_text(rule));
  if ((rule.least && number < *rule.least) || (rule.most && number > *rule.most))
    return fail(Errc::invalid, "{} is outside the range {}", to_text(value), range_text(rule));
  if (rule.step) {
    const double base = rule.least.value_or(0);
    const double steps = (number - base) / *rule.step;
    if (std::fabs(steps - std::nearbyint(steps)) > 1e-6) {
      return fail(Errc::invalid, "{} is not on a step of {} from {}; the nearest is {}",
                  to_text(value), to_text(Real{*rule.step}), to_text(Real{base}),
                  to_text(Real{base + std::nearbyint(steps) * *rule.step, 9}));
    }
  }
  return {};
}

bool is_same(const modbus::PointSpec& spec, const Value& one, const Value& other) {
  if (one == other) return true;
  if (const auto a = whole(one), b = whole(other); a && b) return *a == *b;
  const double a = number_of(spec, one), b = number_of(spec, other);
  if (std::isnan(a) || std::isnan(b)) return false;
  return std::fabs(a - b) <= std::max(std::fabs(a), std::fabs(b)) * relative_resolution(spec.type);
}

Result<modbus::Laid> lay_exactly(const modbus::PointSpec& spec, const Value& value,
                                 std::optional<std::int16_t> power) {
  auto laid = modbus::lay_out(spec, value, power);
  if (!laid) return laid;
  const auto back = modbus::decode(spec, laid->values, power);
  if (back.why == modbus::Why::not_available) {
    return fail(Errc::invalid, "{} is what this point says for \"no value\"", to_text(value));
  }
  if (!is_same(spec, value, back.value)) {
    return fail(Errc::invalid, "{} cannot be held by {}{}; the nearest is {}", to_text(value),
                modbus::name(spec.type),
                spec.scale != 1 ? fmt::format(" in steps of {}", spec.scale) : "",
                to_text(back.value));
  }
  return laid;
}

}  // namespace lightship::poller
