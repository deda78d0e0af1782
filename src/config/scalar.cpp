// How scalars are written: YAML 1.1 as far as people use it, and our durations and sizes.
#include "config/scalar.h"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "config/node.h"

namespace lightship::config {
namespace {

// More than a century is a slip of the finger, and microseconds would not hold much more.
constexpr double kLongest_s = 100.0 * 366 * 24 * 3600;

std::optional<bool> parse_bool(std::string_view text) {
  // As yaml-cpp: in lower case, capitalised or in capitals.
  static constexpr std::array<std::pair<std::string_view, bool>, 8> kWords{{{"true", true},
                                                                            {"false", false},
                                                                            {"yes", true},
                                                                            {"no", false},
                                                                            {"on", true},
                                                                            {"off", false},
                                                                            {"y", true},
                                                                            {"n", false}}};
  const std::string low = to_lower(text);
  for (const auto& [word, truth] : kWords) {
    if (low != word) continue;
    const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto capitals = std::ranges::count_if(text, upper);
    const bool usual =
        capitals == 0 || capitals == std::ssize(text) || (capitals == 1 && upper(text.front()));
    if (usual) return truth;
  }
  return std::nullopt;
}

std::optional<double> parse_real(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos)
    return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <class T>
std::optional<T> parse_digits(std::string_view text, int base) {
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// 12, -3, +4, 0x1F. Not 010, which some YAML readers take for eight.
std::optional<Value> parse_whole(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
    if (text.starts_with('-')) return std::nullopt;
  } else {
    const auto digits = text.starts_with('-') ? text.substr(1) : text;
    if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  }
  if (const auto number = parse_digits<std::int64_t>(text, base)) return Value{*number};
  if (const auto number = parse_digits<std::uint64_t>(text, base)) return Value{*number};
  return std::nullopt;
}

struct Unit {
  std::string_view name;
  double worth;
};

// "1.5 GB" -> 1.5 and the worth of GB; a plain number has the unit "".
std::optional<double> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  const auto letters = text.find_first_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
  // An exponent belongs to the number: 1e3.
  if (const auto plain = parse_real(text)) return *plain * units.front().worth;
  if (letters == std::string_view::npos || letters == 0) return std::nullopt;
  const auto number = parse_real(trim(text.substr(0, letters)));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name == text.substr(letters)) return *number * unit.worth;
  }
  return std::nullopt;
}

bool is_number_kind(Kind kind) {
  return kind == Kind::integer || kind == Kind::number || kind == Kind::duration ||
         kind == Kind::size;
}

template <std::size_t N>
std::string largest_unit(std::int64_t amount,
                         const std::array<std::pair<std::int64_t, std::string_view>, N>& units) {
  for (const auto& [worth, name] : units) {
    if (amount % worth == 0) return fmt::format("{}{}", amount / worth, name);
  }
  return {};
}

std::string show_duration(std::int64_t us) {
  static constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> kUnits{
      {{3'600'000'000, "h"}, {60'000'000, "m"}, {1'000'000, "s"}, {1'000, "ms"}}};
  if (us == 0) return "0s";
  const std::string whole = largest_unit(us, kUnits);
  return whole.empty() ? fmt::format("{}s", static_cast<double>(us) / 1e6) : whole;
}

std::string show_size(std::uint64_t bytes) {
  static constexpr std::array<std::pair<std::int64_t, std::string_view>, 7> kUnits{
      {{1 << 30, "GiB"},
       {1'000'000'000, "GB"},
       {1 << 20, "MiB"},
       {1'000'000, "MB"},
       {1 << 10, "KiB"},
       {1'000, "kB"},
       {1, ""}}};
  if (bytes == 0 || bytes > INT64_MAX) return std::to_string(bytes);
  return largest_unit(static_cast<std::int64_t>(bytes), kUnits);
}

}  // namespace

namespace {
constexpr std::array<Unit, 6> kDurations{
    {{"", 1}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
constexpr std::array<Unit, 10> kSizes{{{"", 1},
                                       {"B", 1},
                                       {"kB", 1e3},
                                       {"KB", 1e3},
                                       {"MB", 1e6},
                                       {"GB", 1e9},
                                       {"TB", 1e12},
                                       {"KiB", 1 << 10},
                                       {"MiB", 1 << 20},
                                       {"GiB", 1 << 30}}};
constexpr double kLargest = 1e18;
}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  const auto seconds = parse_with_unit(text, kDurations);
  if (!seconds || !(std::abs(*seconds) <= kLongest_s)) return std::nullopt;
  return std::llround(*seconds * 1e6);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto bytes = parse_with_unit(text, kSizes);
  if (!bytes || !(*bytes >= 0) || *bytes > kLargest) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(*bytes));
}

Reading read_scalar(const Node& node, const Type& type) {
  if (node.kind != Node::Kind::scalar) return {};
  const std::string& text = node.text;
  Reading reading;
  switch (type.kind) {
    case Kind::boolean:
      if (const auto truth = parse_bool(text)) reading.value = *truth;
      break;
    case Kind::integer:
      reading.value = parse_whole(text);
      break;
    case Kind::number:
      if (const auto number = parse_real(text)) {
        reading.value = Real{*number, Real::kShortest};
      } else if (const auto whole = parse_whole(text)) {
        reading.value = Real{as_double(*whole), Real::kShortest};  // 0x1F
      }
      break;
    case Kind::duration:
      if (const auto us = parse_duration(text)) reading.value = *us;
      break;
    case Kind::size:
      if (const auto bytes = parse_size(text)) reading.value = *bytes;
      break;
    case Kind::choice:
      if (std::ranges::find(type.choices, text) != type.choices.end()) reading.value = text;
      break;
    default:
      reading.value = text;
      break;
  }
  const bool plain_number = is_number_kind(type.kind) && parse_real(text);
  reading.was_quoted = node.quoted && reading.value && (plain_number || type.kind == Kind::boolean);
  return reading;
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out;
  for (std::size_t shown = 0; !text.empty(); ++shown) {
    if (shown == kShown) return out + "...";
    const std::size_t length = std::max<std::size_t>(1, utf8_length(text));
    const auto c = static_cast<unsigned char>(text.front());
    out += c < 0x20 || c == 0x7F ? " " : text.substr(0, length);
    text.remove_prefix(std::min(length, text.size()));
  }
  return out;
}

std::string describe_found(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
    case Node::Kind::broken:
      return "something unreadable";
    case Node::Kind::scalar:
      break;
  }
  if (node.secret) return "(secret)";
  if (!node.quoted && parse_bool(node.text) && node.text.size() > 1) {
    return fmt::format("{} (boolean)", node.text);
  }
  if (!node.quoted && (parse_real(node.text) || parse_whole(node.text))) {
    return fmt::format("{} (number)", shortened(node.text));
  }
  return fmt::format("'{}' (text)", shortened(node.text));
}

// A number that is one but for its size: what it may be at most.
std::string describe_expected(const Type& type, std::string_view found) {
  if (type.kind == Kind::duration) {
    const auto seconds = parse_with_unit(found, kDurations);
    if (seconds && std::abs(*seconds) > kLongest_s) return "a duration of at most 36600d";
  }
  if (type.kind == Kind::size) {
    const auto bytes = parse_with_unit(found, kSizes);
    if (bytes && *bytes < 0) return "a size of at least 0";
    if (bytes && *bytes > kLargest) return "a size of at most 1000000TB";
  }
  return describe_expected(type);
}

std::string describe_expected(const Type& type) {
  switch (type.kind) {
    case Kind::boolean:
      return "true or false";
    case Kind::integer:
      return "a whole number";
    case Kind::number:
      return "a number";
    case Kind::duration:
      return "a duration such as 500ms, 5s, 2m or a number of seconds";
    case Kind::size:
      return "a size such as 64KiB, 256MB or a number of bytes";
    case Kind::choice:
      if (type.choices.size() == 1) return fmt::format("'{}'", type.choices.front());
      return "one of " + join(type.choices, ", ");
    case Kind::text:
    case Kind::secret:
      return "a text";
    case Kind::list:
      return "a list";
    case Kind::items:
      return "a list of maps";
    case Kind::map:
    case Kind::section:
      return "a map";
  }
  return "something else";
}

std::string show(const Value& value, Kind kind) {
  if (kind == Kind::duration) {
    if (const auto* us = std::get_if<std::int64_t>(&value)) return show_duration(*us);
  }
  if (kind == Kind::size) {
    if (const auto* bytes = std::get_if<std::uint64_t>(&value)) return show_size(*bytes);
  }
  return has_value(value) ? to_text(value) : std::string();
}

}  // namespace lightship::config
