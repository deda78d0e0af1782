// What can be said of serial settings without a port.
#include "link/serial_settings.h"

#include <fmt/format.h>

namespace lightship::link {

Result<void> check(const SerialSettings& settings) {
  if (settings.device.empty()) return fail(Errc::invalid, "no device is named");
  if (settings.baud < 1 || settings.baud > 12'000'000)
    return fail(Errc::invalid, "{} baud, expected 1 to 12000000", settings.baud);
  if (settings.data_bits < 5 || settings.data_bits > 8)
    return fail(Errc::invalid, "{} data bits, expected 5 to 8", settings.data_bits);
  if (settings.stop_bits == 1.5)
    return fail(Errc::invalid,
                "1.5 stop bits, expected 1 or 2 (a UART makes 1.5 of 2 when it sends 5 data bits)");
  if (settings.stop_bits != 1 && settings.stop_bits != 2)
    return fail(Errc::invalid, "{} stop bits, expected 1 or 2", settings.stop_bits);
  switch (settings.parity) {
    case Parity::none:
    case Parity::even:
    case Parity::odd:
    case Parity::mark:
    case Parity::space:
      break;
    default:
      return fail(Errc::invalid, "parity {}, expected N, E, O, M or S",
                  static_cast<char>(settings.parity));
  }
  using namespace std::chrono_literals;
  for (const auto delay : {settings.rs485.rts_before, settings.rs485.rts_after})
    if (delay < 0ms || delay > 100ms)
      return fail(Errc::invalid, "RTS delay of {} ms, expected 0 to 100 ms", delay.count());
  return {};
}

std::string describe(const SerialSettings& settings) {
  return fmt::format("{} {}{}{}", settings.baud, settings.data_bits,
                     static_cast<char>(settings.parity), settings.stop_bits);
}

}  // namespace lightship::link
