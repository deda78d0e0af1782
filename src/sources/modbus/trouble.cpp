// The advice, by kind of trouble and of line.
#include "sources/modbus/trouble.h"

#include <fmt/format.h>

namespace lightship::poller {
namespace {

using Advice = std::vector<std::string>;

Advice no_bytes(bool serial, int unit) {
  if (!serial) {
    return {fmt::format("The connection is open and nothing comes: does the device answer for unit "
                        "{}? Behind a gateway it may be another one",
                        unit),
            "Look whether the gateway's own line to the device works: its lamps, its counters",
            "Many devices serve only a few connections at once: close others, or wait",
            "Try `lightship scan` to see which units answer"};
  }
  return {"Has the device power, and does its display live?",
          "Are A and B the right way round, and is the common wire connected?",
          fmt::format("Is {} the unit id that is set on the device?", unit),
          "Is the cable whole up to this device: do those before and behind it answer?",
          "Are baud rate, parity and stop bits those of the device? Some stay silent when not"};
}

Advice bad_crc(bool serial) {
  if (!serial) {
    return {"What comes is not Modbus as configured: is it tcp, or RTU over TCP?",
            "Look at baud rate and parity on the gateway between network and line",
            "Look at the wiring and the termination of the line behind the gateway"};
  }
  return {"Compare baud rate, parity and stop bits with those set on the device",
          "Is the line terminated with 120 ohms at both ends, and only there?",
          "Is it biased at exactly one place?",
          "Are two devices set to the same unit id? Their answers then destroy each other",
          "Keep the cable away from motors and inverters; shield at one end only"};
}

Advice exception(int code) {
  switch (code) {
    case 1:
      return {"The device does not know this function: compare it with the device's manual",
              "Is meter_model the right one?"};
    case 2:
      return {"The device does not have one of the addresses: compare them with its manual",
              "Manuals often count from 1, or write 40001 for holding register 0",
              "Is meter_model, and its profile, the right one?"};
    case 3:
      return {"The device refuses the number of registers: lower limits.max_registers",
              "Is meter_model the right one?"};
    case 5:
    case 6:
      return {"The device is busy: lengthen poll_interval, or set limits.pause_after_answer",
              "Does another master ask it as well?"};
    case 10:
      return {"The gateway in between has no way to this unit: look at its table of routes",
              "Compare unit_id with what the gateway expects"};
    case 11:
      return {"The gateway in between answers, the device behind it does not",
              "Has the device power, and is it connected to the gateway?",
              "Is unit_id the one that is set on the device?",
              "Compare the gateway's baud rate and parity with the device's"};
    default:
      return {"The device says that it cannot serve the request: look at its display and manual",
              "Switch it off and on when nothing else helps"};
  }
}

Advice wrong_unit(int unit) {
  return {fmt::format("Another unit answers where unit {} was asked: compare unit_id with the "
                      "device",
                      unit),
          "Some devices and gateways always answer as one unit: then set limits.answers_as",
          "Does another master ask on the same line?"};
}

Advice no_connection(bool serial) {
  if (serial) {
    return {"Is the adapter plugged in? `lightship check` lists the ports that are there",
            "Use the name below /dev/serial/by-id: it stays the same after a restart",
            "May this user open the port? It must be in the group dialout"};
  }
  return {"Does the device have power and a link lamp?", "Does it answer a ping from this gateway?",
          "Compare host and port with its settings; Modbus TCP listens at 502",
          "Does a firewall in between let the port through?",
          "Many devices serve only a few connections at once: close others"};
}

}  // namespace

std::vector<std::string> advice_for(Trouble trouble, bool serial, int code, int unit) {
  switch (trouble) {
    case Trouble::none:
      return {};
    case Trouble::no_bytes:
      return no_bytes(serial, unit);
    case Trouble::bad_crc:
      return bad_crc(serial);
    case Trouble::exception:
      return exception(code);
    case Trouble::wrong_unit:
      return wrong_unit(unit);
    case Trouble::busy_port:
      return {"Another program has the port: the last error says which one; end it",
              "A console on the port? Look for serial-getty and for console= of the kernel",
              "One port can be in one connection only: look at slave_config.yaml"};
    case Trouble::no_connection:
      return no_connection(serial);
  }
  return {};
}

}  // namespace lightship::poller
