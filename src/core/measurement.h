// The measurement message: what one device says to the outside, once per interval
// (src/sinks/mqtt/README.md).
//
// Made from the cache. `sequence` is given by whoever queues it; `historical` is known only when it
// is sent, so the text is kept open and closed by `finish_message`.
#pragma once

#include <string>

#include "core/cache.h"

namespace lightship {

struct Measurement {
  std::string open_json;  // without the closing brace
  Time timestamp{};       // when the newest value arrived from the device
};

Measurement make_measurement(const std::string& site, const Catalog& catalog, Cache& cache,
                             DeviceId device, std::uint64_t sequence, const Clock& clock);

// The finished message: `historical` is true when it leaves later than one interval after its
// timestamp.
std::string finish_message(const std::string& open_json, bool historical);

// Older than this a value is `stale`: three polls did not come, and no poll said why.
Duration stale_after(const DeviceInfo& device);

}  // namespace lightship
