// Exceptions in words.
#include "codec/modbus/exception.h"

namespace lightship::modbus {

std::string_view meaning(int exception_code) {
  switch (exception_code) {
    case 1:
      return "function not supported";
    case 2:
      return "address range not served";
    case 3:
      return "value or count not allowed";
    case 4:
      return "device failure";
    case 5:
      return "accepted, takes long";
    case 6:
      return "device busy";
    case 7:
      return "negative acknowledge";
    case 8:
      return "memory parity error";
    case 10:
      return "gateway path unavailable";
    case 11:
      return "device behind the gateway did not answer";
    default:
      return "undocumented code";
  }
}

std::string_view advice(int exception_code) {
  switch (exception_code) {
    case 1:
      return "the device does not know this function: try the other one (3 or 4 to read, 6 or 16 "
             "to write)";
    case 2:
      return "some register of the range does not exist: check the address (0-based on the wire) "
             "and the count";
    case 3:
      return "the device allows fewer registers at once or another value: try smaller blocks";
    case 4:
      return "the device could not do it: try again later, and look at the device";
    case 5:
      return "the device is still at work: ask again later";
    case 6:
      return "the device is busy: ask again after a pause";
    case 7:
      return "the device would not do it: try again later, and look at the device";
    case 8:
      return "the device's memory is damaged: look at the device";
    case 10:
      return "the gateway has no route to this unit or is overloaded: check its port and its unit "
             "table";
    case 11:
      return "the gateway works but the device behind it is silent: check unit id, wiring and "
             "power";
    default:
      return "the manual of the device may say what this code means";
  }
}

std::string exception_text(int exception_code) {
  return fmt::format("exception {} ({})", exception_code, meaning(exception_code));
}

Error exception_error(int exception_code) {
  return {Errc::refused, exception_text(exception_code), exception_code};
}

}  // namespace lightship::modbus
