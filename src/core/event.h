// Event: one thing heard, at one time, from one source. Immutable once published, shared by
// pointer.
//
// Today that is Readings; Packet and Announcement join it with their sources.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/value.h"
#include "core/point.h"
#include "core/register_image.h"

namespace lightship {

// Why a point has no value to trust. `none` means that it has one.
enum class Reason : std::uint8_t {
  none,
  timeout,
  exception,
  crc,
  not_available,
  out_of_range,
  stale
};

// The word of the measurement message: timeout, exception_2, crc, not_available, out_of_range,
// stale.
std::string to_string(Reason reason, int code);

struct Reading {
  PointId point{};
  Value value;  // with a reason: what was read, for diagnosis, or nothing
  Reason reason = Reason::none;
  std::uint8_t code = 0;  // the exception code where the reason is exception
};

struct RegisterBlock {
  Space space{};
  std::uint16_t first = 0;
  std::uint16_t count = 0;
  ByteVector data;  // as it came: registers high byte first, bits packed
  MonoTime arrived{};
};

// What one device said at one moment.
struct Readings {
  DeviceId device{};
  Time at{};            // when the newest value arrived (or the failure was certain)
  MonoTime arrived{};   // the same instant on the steady clock
  Duration poll{};      // from the first request to the last answer
  bool online = false;  // the device answered
  std::vector<Reading> readings;
  std::vector<RegisterBlock> blocks;
};

using Event = std::shared_ptr<const Readings>;

}  // namespace lightship
