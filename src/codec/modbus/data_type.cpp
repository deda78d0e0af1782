// Names, sizes and byte orders.
#include "codec/modbus/data_type.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace lightship::modbus {
namespace {

struct TypeRow {
  DataType type;
  std::string_view name;
  std::uint16_t registers;  // when no count is given
  std::uint16_t least, most;
};

constexpr std::array kTypes{
    TypeRow{DataType::boolean, "bool", 1, 1, 1},
    TypeRow{DataType::bit, "bit", 1, 1, 1},
    TypeRow{DataType::bits, "bits", 1, 1, 2},
    TypeRow{DataType::int16, "int16", 1, 1, 1},
    TypeRow{DataType::uint16, "uint16", 1, 1, 1},
    TypeRow{DataType::int32, "int32", 2, 2, 2},
    TypeRow{DataType::uint32, "uint32", 2, 2, 2},
    TypeRow{DataType::int64, "int64", 4, 4, 4},
    TypeRow{DataType::uint64, "uint64", 4, 4, 4},
    TypeRow{DataType::float16, "float16", 1, 1, 1},
    TypeRow{DataType::float32, "float32", 2, 2, 2},
    TypeRow{DataType::float64, "float64", 4, 4, 4},
    TypeRow{DataType::uint8h, "uint8h", 1, 1, 1},
    TypeRow{DataType::uint8l, "uint8l", 1, 1, 1},
    TypeRow{DataType::int8h, "int8h", 1, 1, 1},
    TypeRow{DataType::int8l, "int8l", 1, 1, 1},
    TypeRow{DataType::signmag16, "signmag16", 1, 1, 1},
    TypeRow{DataType::bcd16, "bcd16", 1, 1, 1},
    TypeRow{DataType::bcd32, "bcd32", 2, 2, 2},
    TypeRow{DataType::mod10k, "mod10k", 0, 2, 4},
    TypeRow{DataType::pf4q, "pf4q", 2, 2, 2},
    TypeRow{DataType::acc32, "acc32", 2, 2, 2},
    TypeRow{DataType::enum16, "enum16", 1, 1, 1},
    TypeRow{DataType::bitfield32, "bitfield32", 2, 2, 2},
    TypeRow{DataType::sunssf, "sunssf", 1, 1, 1},
    TypeRow{DataType::string, "string", 0, 1, 125},
};

const TypeRow& row(DataType type) { return kTypes[static_cast<std::size_t>(type)]; }
static_assert(std::ranges::is_sorted(kTypes, {}, &TypeRow::type));
static_assert(kTypes.back().type == DataType::string &&
              kTypes.size() == static_cast<std::size_t>(DataType::string) + 1);

struct OrderRow {
  ByteOrder order;
  std::string_view name;
  std::array<std::string_view, 3> letters;  // for 1, 2 and 4 registers
};

// AB is written for both orders that leave a register alone, and BA for both that swap it.
constexpr std::array kOrders{
    OrderRow{ByteOrder::big, "big", {"AB", "ABCD", "ABCDEFGH"}},
    OrderRow{ByteOrder::little, "little", {"BA", "DCBA", "HGFEDCBA"}},
    OrderRow{ByteOrder::big_swap, "big_swap", {"BA", "BADC", "BADCFEHG"}},
    OrderRow{ByteOrder::little_swap, "little_swap", {"AB", "CDAB", "GHEFCDAB"}},
};

}  // namespace

std::string_view name(DataType type) { return row(type).name; }

std::optional<DataType> parse_data_type(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, &TypeRow::name);
  if (found == kTypes.end()) return std::nullopt;
  return found->type;
}

const std::vector<std::string>& data_type_names() {
  static const auto kNames = [] {
    std::vector<std::string> names;
    for (const auto& type : kTypes) names.emplace_back(type.name);
    return names;
  }();
  return kNames;
}

std::uint16_t registers_of(DataType type) { return row(type).registers; }

bool allows_count(DataType type, std::uint16_t count) {
  return count >= row(type).least && count <= row(type).most;
}

std::string allowed_counts(DataType type) {
  const auto [least, most] = std::pair(row(type).least, row(type).most);
  if (least == most) return fmt::format("{}", least);
  return fmt::format("{} {} {}", least, most == least + 1 ? "or" : "to", most);
}

bool is_float(DataType type) {
  return type == DataType::float16 || type == DataType::float32 || type == DataType::float64 ||
         type == DataType::pf4q;
}

bool is_integer(DataType type) {
  return !is_float(type) && type != DataType::boolean && type != DataType::bit &&
         type != DataType::string;
}

Result<ByteOrder> parse_byte_order(std::string_view text) {
  const std::string asked = to_lower(text);
  for (const auto& order : kOrders) {
    if (asked == order.name) return order.order;
  }
  for (const auto& order : kOrders) {
    for (const auto letters : order.letters) {
      if (asked == to_lower(letters)) return order.order;
    }
  }
  return fail(Errc::invalid,
              "'{}' is not a byte order, expected big, little, big_swap, little_swap or letters "
              "such as CDAB",
              text);
}

std::string_view name(ByteOrder order) { return kOrders[static_cast<std::size_t>(order)].name; }

std::string letters(ByteOrder order, std::uint16_t registers) {
  const auto& letters = kOrders[static_cast<std::size_t>(order)].letters;
  return std::string(letters[registers <= 1 ? 0 : registers == 2 ? 1 : 2]);
}

const std::vector<std::string>& byte_order_names() {
  static const auto kNames = [] {
    std::vector<std::string> names;
    for (const auto& order : kOrders) names.emplace_back(order.name);
    return names;
  }();
  return kNames;
}

}  // namespace lightship::modbus
