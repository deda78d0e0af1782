// Reads what comes and hands it to the listener.
#include "sources/modbus/sniffer.h"

#include <algorithm>
#include <array>

#include "link/serial_timing.h"

namespace lightship::poller {
namespace {

// A USB adapter hands over what it has every 16 ms: after so long without a byte nothing of a frame
// is still on its way, whatever the rate.
constexpr std::chrono::milliseconds kSilence{50};

void tell(modbus::Listener& listener, const TakeHeard& take) {
  while (const auto heard = listener.next()) take(*heard);
}

std::chrono::nanoseconds silence_of(const link::SerialSettings* settings) {
  return settings == nullptr
             ? kSilence
             : std::max<std::chrono::nanoseconds>(kSilence, 10 * link::char_time(*settings));
}

}  // namespace

std::unique_ptr<modbus::Listener> make_listener(Framing framing,
                                                const link::SerialSettings* settings) {
  modbus::Listener::Timing timing;
  timing.silence = silence_of(settings);
  if (settings != nullptr) {
    timing.character = link::char_time(*settings);
    timing.pause = link::t35(*settings);
  }
  if (framing == Framing::ascii) return std::make_unique<modbus::ascii::Listener>(timing);
  return std::make_unique<modbus::rtu::Listener>(timing);
}

Task<Error> listen(link::ByteLine& line, Clock& clock, modbus::Listener& listener, MonoTime origin,
                   MonoTime until, const TakeHeard& take) {
  std::array<std::uint8_t, 1024> bytes;
  for (;;) {
    const auto quiet =
        listener.undecided() == 0 ? MonoTime::max() : line.last_byte_at() + listener.silence();
    auto got = co_await line.read_some(bytes, std::min(until, quiet));
    if (got) {
      listener.feed(Bytes(bytes.data(), *got), line.last_byte_at() - origin);
      tell(listener, take);
      // A line that babbles must not keep us here.
      if (clock.mono() < until) continue;
    }
    const bool over = (!got && got.error().code != Errc::timeout) || clock.mono() >= until;
    if (over || clock.mono() >= quiet) {
      listener.flush();
      tell(listener, take);
    }
    if (over && !got) co_return got.error();
    if (over) co_return Error{Errc::timeout, "the time is over", 0};
  }
}

}  // namespace lightship::poller
