// `communication.outbox`: what may wait on disk for acknowledgement. One section for all sinks.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "config/fields.h"

namespace lightship::config {

struct OutboxSettings {
  enum class Overflow : std::uint8_t { drop_oldest, thin };

  ByteSize max_size{256 * 1000 * 1000};
  Overflow overflow = Overflow::drop_oldest;
  Duration commit_every = std::chrono::milliseconds(100);

  friend bool operator==(const OutboxSettings&, const OutboxSettings&) = default;
};

void describe(Fields& f, OutboxSettings& c);

}  // namespace lightship::config
