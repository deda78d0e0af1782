// Which points are plain.
#include "codec/modbus/plain_value.h"

namespace lightship::modbus {

PlainValue::PlainValue(const PointSpec& spec) : order_(spec.order) {
  const bool as_it_is = spec.scale == 1 && spec.offset == 0 && spec.not_available.empty() &&
                        spec.names.empty() && !spec.min && !spec.max;
  if (!as_it_is) return;
  switch (spec.type) {
    case DataType::float32:
      kind_ = Kind::float32;
      break;
    case DataType::int16:
    case DataType::sunssf:
      kind_ = Kind::int16;
      break;
    case DataType::uint16:
    case DataType::enum16:
      kind_ = Kind::uint16;
      break;
    case DataType::int32:
      kind_ = Kind::int32;
      break;
    case DataType::uint32:
    case DataType::acc32:
    case DataType::bitfield32:
      kind_ = Kind::uint32;
      break;
    default:
      break;
  }
}

}  // namespace lightship::modbus
