// The scalars of a configuration file: how each type is written, checked and shown.
//
// A Codec<T> is the bridge between a member of a struct and a Value: bool, whole numbers, double,
// std::string, any std::chrono duration (plain numbers are seconds), ByteSize, Secret, enums that
// have a table, and std::optional of these. An enum's table is a function found by ADL:
//
//   inline auto enum_names(Parity) { return std::to_array<Named<Parity>>({{"N", Parity::none},
//   ...}); }
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/value.h"
#include "config/secret.h"

namespace lightship::config {

enum class Kind {
  boolean,
  integer,
  number,
  text,
  duration,
  size,
  secret,
  choice,
  list,
  map,
  section,
  items
};

// A number of bytes: 256MB, 64KiB, or a plain number.
struct ByteSize {
  std::uint64_t bytes = 0;
  friend auto operator<=>(const ByteSize&, const ByteSize&) = default;
};

template <class E>
using Named = std::pair<std::string_view, E>;

// What a scalar of the file must look like. Durations travel as whole microseconds, sizes as bytes.
struct Type {
  Kind kind = Kind::text;
  std::optional<Value> low, high;    // what the member's type can hold
  std::vector<std::string> choices;  // for Kind::choice
};

struct Node;

// What a node turned out to be when read as `type`.
struct Reading {
  std::optional<Value> value;
  bool was_quoted = false;  // a number or a truth between quotes
};
Reading read_scalar(const Node& node, const Type& type);

std::string describe_found(
    const Node& node);  // "'fast' (text)", "12 (number)", "a list", "(secret)"
std::string describe_expected(
    const Type& type);  // "a duration such as 500ms, 5s, 2m or a number of seconds"
// The same for a text that is no such value: it may only be too large.
std::string describe_expected(const Type& type, std::string_view found);
std::string show(const Value& value,
                 Kind kind);                   // as one would write it in the file: 5s, 256MB, true
std::string shortened(std::string_view text);  // at most 60 characters, for messages and paths

std::optional<std::int64_t> parse_duration(std::string_view text);  // microseconds
std::optional<std::uint64_t> parse_size(std::string_view text);     // bytes

template <class T>
struct Codec;

template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T value) { enum_names(value); };

template <class T>
concept Scalar = requires(T& member, const Value& value) {
  { Codec<T>::type() } -> std::same_as<Type>;
  { Codec<T>::set(member, value) } -> std::same_as<bool>;
};

template <>
struct Codec<bool> {
  static Type type() { return {.kind = Kind::boolean}; }
  static bool set(bool& member, const Value& value) {
    member = std::get<bool>(value);
    return true;
  }
  static Value get(bool member) { return member; }
};

template <std::integral T>
struct Codec<T> {
  static Type type() {
    using Limits = std::numeric_limits<T>;
    return {.kind = Kind::integer, .low = whole(Limits::min()), .high = whole(Limits::max())};
  }
  static bool set(T& member, const Value& value) {
    const auto take = [&](auto number) {
      if (!std::in_range<T>(number)) return false;
      member = static_cast<T>(number);
      return true;
    };
    if (const auto* number = std::get_if<std::int64_t>(&value)) return take(*number);
    return take(std::get<std::uint64_t>(value));
  }
  static Value get(T member) { return whole(member); }

 private:
  static Value whole(T number) {
    if constexpr (std::signed_integral<T>) return static_cast<std::int64_t>(number);
    return static_cast<std::uint64_t>(number);
  }
};

template <std::floating_point T>
struct Codec<T> {
  static Type type() { return {.kind = Kind::number}; }
  static bool set(T& member, const Value& value) {
    member = static_cast<T>(as_double(value));
    return true;
  }
  static Value get(T member) {
    return Real{member, std::same_as<T, float> ? Real::kShortestFloat : Real::kShortest};
  }
};

template <>
struct Codec<std::string> {
  static Type type() { return {.kind = Kind::text}; }
  static bool set(std::string& member, const Value& value) {
    member = std::get<std::string>(value);
    return true;
  }
  static Value get(const std::string& member) { return member; }
};

template <class Rep, class Period>
struct Codec<std::chrono::duration<Rep, Period>> {
  using T = std::chrono::duration<Rep, Period>;
  static Type type() { return {.kind = Kind::duration}; }
  static bool set(T& member, const Value& value) {
    member =
        std::chrono::duration_cast<T>(std::chrono::microseconds(std::get<std::int64_t>(value)));
    return true;
  }
  static Value get(T member) {
    return std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(member).count()};
  }
};

template <>
struct Codec<ByteSize> {
  static Type type() { return {.kind = Kind::size}; }
  static bool set(ByteSize& member, const Value& value) {
    member.bytes = std::get<std::uint64_t>(value);
    return true;
  }
  static Value get(ByteSize member) { return member.bytes; }
};

template <>
struct Codec<Secret> {
  static Type type() { return {.kind = Kind::secret}; }
  static bool set(Secret& member, const Value& value) {
    member = Secret(std::get<std::string>(value));
    return true;
  }
  static Value get(const Secret&) { return {}; }
};

template <class E>
Type choice_type(std::span<const Named<E>> table) {
  Type type{.kind = Kind::choice};
  for (const auto& [name, value] : table) type.choices.emplace_back(name);
  return type;
}

template <class E>
bool set_choice(std::span<const Named<E>> table, E& member, const Value& value) {
  for (const auto& [name, meaning] : table) {
    if (name == std::get<std::string>(value)) member = meaning;
  }
  return true;
}

template <class E>
Value name_of(std::span<const Named<E>> table, E member) {
  for (const auto& [name, meaning] : table) {
    if (meaning == member) return std::string(name);
  }
  return {};
}

template <NamedEnum T>
struct Codec<T> {
  static Type type() { return choice_type<T>(enum_names(T{})); }
  static bool set(T& member, const Value& value) {
    return set_choice<T>(enum_names(T{}), member, value);
  }
  static Value get(T member) { return name_of<T>(enum_names(T{}), member); }
};

template <Scalar T>
struct Codec<std::optional<T>> {
  static Type type() { return Codec<T>::type(); }
  static bool set(std::optional<T>& member, const Value& value) {
    T fresh{};
    if (!Codec<T>::set(fresh, value)) return false;
    member = std::move(fresh);
    return true;
  }
  static Value get(const std::optional<T>& member) {
    return member ? Codec<T>::get(*member) : Value{};
  }
};

}  // namespace lightship::config
