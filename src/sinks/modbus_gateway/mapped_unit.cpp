// Points as registers.
#include <algorithm>
#include <cmath>
#include <limits>

#include "sinks/modbus_gateway/unit.h"

namespace lightship::gateway {
namespace {

using modbus::DataType;

constexpr std::string_view kOnline = "/online";

// What stands for "longer than this type can say".
double largest(DataType type) {
  switch (type) {
    case DataType::int16:
    case DataType::signmag16:
    case DataType::sunssf:
      return 32767;
    case DataType::bcd16:
      return 9999;
    case DataType::bcd32:
      return 99999999;
    case DataType::mod10k:
      return 99999999;
    case DataType::int32:
      return 2147483647;
    case DataType::uint32:
    case DataType::acc32:
    case DataType::bitfield32:
      return 4294967295;
    case DataType::float16:
      return 65504;
    case DataType::boolean:
    case DataType::pf4q:
      return 1;
    case DataType::float32:
    case DataType::float64:
    case DataType::int64:
    case DataType::uint64:
      return 9007199254740992.0;  // 2^53: exact in each of them
    default:
      return 65535;
  }
}

Value age(MonoTime arrived, MonoTime now, DataType type) {
  const double most = largest(type);
  const double ms = arrived == MonoTime::min()
                        ? most
                        : std::floor(to_ms(std::max(now - arrived, MonoTime::duration{})));
  return static_cast<std::uint64_t>(std::min(ms, most));
}

// A truth is a number in every type but its own, and a number a truth in that.
Value fitting(const Value& value, DataType type) {
  if (const auto* truth = std::get_if<bool>(&value)) {
    if (type != DataType::boolean && type != DataType::string) return std::uint64_t{*truth};
  } else if (type == DataType::boolean && !std::holds_alternative<std::string>(value)) {
    const double number = as_double(value);
    if (!std::isnan(number)) return number != 0;
  }
  return value;
}

}  // namespace

void MappedUnit::add(const MapEntry& entry) {
  const auto after = std::ranges::upper_bound(
      places_, entry.address, {}, [](const Place& place) { return place.entry.address; });
  places_.insert(after, {entry, std::nullopt, std::nullopt});
}

const MappedUnit::Place* MappedUnit::covering(std::uint32_t address) const {
  auto after = std::ranges::upper_bound(
      places_, address, {}, [](const Place& place) { return std::uint32_t{place.entry.address}; });
  if (after == places_.begin() || (--after)->entry.end() <= address) return nullptr;
  return &*after;
}

Outcome MappedUnit::read(Space space, std::uint32_t first, std::uint32_t count, MonoTime now,
                         ByteVector& out) {
  if (is_bits(space)) return Outcome::not_polled;
  const std::uint32_t end = first + count;
  const Place* place = nullptr;
  for (std::uint32_t at = first; at < end; at = place->entry.end()) {
    if ((place = covering(at)) == nullptr) return Outcome::not_polled;
  }
  const std::size_t start = out.size();
  for (std::uint32_t at = first; at < end; at = place->entry.end()) {
    place = covering(at);
    const auto& entry = place->entry;
    const Value value = show(const_cast<Place&>(*place), now);
    const auto words = has_value(value)
                           ? modbus::encode_value(entry.spec, fitting(value, entry.spec.type))
                           : fail(Errc::unavailable, "no value");
    if (!words || words->size() != entry.spec.count) {
      out.resize(start);
      return Outcome::not_fresh;
    }
    for (std::uint32_t word = at; word < std::min(end, entry.end()); ++word) {
      put_u16(out, (*words)[word - entry.address]);
    }
  }
  return Outcome::ok;
}

MappedUnit::Known MappedUnit::look(Place& place, MonoTime now) {
  if (!place.point && !place.device) {
    const std::string_view name = place.entry.point;
    place.point = catalog_.find_point(name);
    if (!place.point && name.ends_with(kOnline)) {
      place.device = catalog_.find_device(name.substr(0, name.size() - kOnline.size()));
    }
  }
  Known known;
  Duration oldest = cache_ttl_;
  if (place.point) {
    const auto& state = cache_.point(*place.point);
    known = {state.value, state.reason, state.arrived};
    oldest = std::min(oldest,
                      catalog_.info(catalog_.info(*place.point).device).max_age.value_or(oldest));
  } else if (place.device) {
    const auto& state = cache_.device(*place.device);
    if (state.heard) known = {state.online, Reason::none, state.arrived};
    oldest = std::min(oldest, catalog_.info(*place.device).max_age.value_or(oldest));
  }
  const bool fresh = known.arrived != MonoTime::min() && known.arrived >= now - oldest;
  if (known.reason == Reason::none && !fresh) known.reason = Reason::stale;
  return known;
}

Value MappedUnit::show(Place& place, MonoTime now) {
  const auto known = look(place, now);
  switch (place.entry.aspect) {
    case Aspect::value:
      return known.reason == Reason::none ? known.value : Value{};
    case Aspect::age_ms:
      return age(known.arrived, now, place.entry.spec.type);
    case Aspect::quality:
      return std::uint64_t{static_cast<std::uint8_t>(known.reason)};
  }
  return {};
}

}  // namespace lightship::gateway
