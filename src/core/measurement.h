// The measurement message: what one device says to the outside, once per interval
// (src/sinks/mqtt/README.md).
//
// Made from the cache. `sequence` is given by the outbox and `historical` is known only when it is
// sent, so the text is kept open: without the closing brace.
#pragma once

#include <string>
#include <vector>

#include "core/cache.h"

namespace lightship {

// What a message looks like. `grouped` is the message of the contract; the others say in `format`
// which of them they are, and in which version.
enum class Shape : std::uint8_t {
  grouped,   // values in `measurements`
  flat,      // values beside the envelope: "flat/1"
  per_point  // a message for each point: "per_point/1"
};

struct Composed {
  std::string open_json;  // without the closing brace
  std::string point;      // its name where the message is about one
  Time timestamp{};       // when the newest value arrived from the device
};

// One message, or with `per_point` one for each point and one for `online`.
std::vector<Composed> compose(Shape shape, const std::string& site, const Catalog& catalog,
                              Cache& cache, DeviceId device, const Clock& clock);

// Older than this a value is `stale`: three polls did not come, and no poll said why.
Duration stale_after(const DeviceInfo& device);
Duration stale_after(const DeviceInfo& device, const PointInfo& point);

}  // namespace lightship
