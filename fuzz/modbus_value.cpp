// Any registers as any type: nothing that is no number passes for one, text is valid, and what can
// be written back reads the same. Input: type, byte order, count, chars, bit, shift, width, scale,
// power of ten, flags, registers.
#include <array>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "codec/modbus/encode_value.h"
#include "modbus_input.h"

namespace {

using namespace lightship;
using namespace lightship::modbus;
using fuzz::require;

constexpr std::array kScales{1.0, 0.1, 0.01, 0.001, 10.0, 0.25, 0.333};

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void check_kind(const Decoded& decoded) {
  if (decoded.why == Why::none) require(has_value(decoded.value));
  if (const auto* text = std::get_if<std::string>(&decoded.value)) require(is_utf8(*text));
  if (const auto* real = std::get_if<Real>(&decoded.value)) {
    require(std::isfinite(real->value) || decoded.why != Why::none);
    require(real->decimals >= Real::kShortestFloat && real->decimals <= 17);
    std::string json;
    append_number(json, *real);
    require(!json.empty());
  }
}

// Above 2^53 a scaled number has more digits than a double.
bool is_exact(const PointSpec& spec) {
  return registers_of(spec) <= 2 || (spec.scale == 1 && spec.offset == 0);
}

// A float may lose its last digits to an offset or to the unfolding of quadrants; nothing else may.
bool is_same(const PointSpec& spec, const Value& a, const Value& b) {
  if (!is_float(spec.type) || (spec.offset == 0 && spec.type != DataType::pf4q))
    return to_text(a) == to_text(b);
  return std::fabs(as_double(a) - as_double(b)) <= 1e-6 * std::fmax(100, std::fabs(as_double(b)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  PointSpec spec;
  spec.type = static_cast<DataType>(input.u8() % data_type_names().size());
  spec.order = static_cast<ByteOrder>(input.u8() % 4);
  spec.count = input.u8();
  spec.chars = static_cast<Chars>(input.u8() % 4);
  spec.bit = input.u8();
  spec.shift = input.u8();
  spec.width = input.u8();
  spec.scale = kScales[input.u8() % kScales.size()];
  const auto power_byte = static_cast<std::int8_t>(input.u8());
  const auto flags = input.u8();
  std::optional<std::int16_t> power;
  if ((flags & 1) != 0) power = power_byte;
  if ((flags & 2) != 0) spec.offset = -40;
  if ((flags & 4) != 0) spec.decimals = decimals_of(spec.scale, spec.offset);
  if ((flags & 8) != 0) spec.not_available = {{0x80, 0x00}, {0xFF, 0xFF, 0xFF, 0xFF}, {0x00}};
  if ((flags & 16) != 0) spec.names = {{1, "on"}, {~0ull, "lost"}};
  if ((flags & 32) != 0) spec.min = -1000, spec.max = 1000;

  std::vector<std::uint16_t> registers;
  for (Bytes rest = input.rest(); rest.size() >= 2; rest = rest.subspan(2))
    registers.push_back(load_u16(rest.data()));
  const auto decoded = decode(spec, registers, power);
  check_kind(decoded);
  if (decoded.why != Why::none || power || !is_exact(spec)) return 0;

  const auto laid = lay_out(spec, decoded.value, power);
  if (!laid) return 0;
  require(laid->values.size() == registers_of(spec) && laid->mask.size() == laid->values.size());
  // Written over anything, it is there, and the bits of others are as they were.
  const std::vector<std::uint16_t> before(laid->values.size(), 0xA55A);
  const auto after = laid->over(before);
  require(laid->is_in(after));
  for (std::size_t at = 0; at < after.size(); ++at)
    require(((after[at] ^ before[at]) & ~laid->mask[at]) == 0);
  const auto again = decode(spec, after, power);
  if (spec.not_available.empty()) require(is_same(spec, again.value, decoded.value));
  return 0;
}
