// The words for why a point has no value.
#include "core/event.h"

#include <fmt/format.h>

namespace lightship {

std::string to_string(Reason reason, int code) {
  switch (reason) {
    case Reason::none:
      return "none";
    case Reason::timeout:
      return "timeout";
    case Reason::exception:
      return fmt::format("exception_{}", code);
    case Reason::crc:
      return "crc";
    case Reason::not_available:
      return "not_available";
    case Reason::out_of_range:
      return "out_of_range";
    case Reason::stale:
      return "stale";
  }
  return "stale";
}

}  // namespace lightship
