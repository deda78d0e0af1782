// Names of error codes, and the prefixing of errors with their place.
#include "base/result.h"

namespace lightship {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::incomplete:
      return "incomplete";
    case Errc::malformed:
      return "malformed";
    case Errc::crc:
      return "crc";
    case Errc::refused:
      return "refused";
    case Errc::timeout:
      return "timeout";
    case Errc::closed:
      return "closed";
    case Errc::unavailable:
      return "unavailable";
    case Errc::invalid:
      return "invalid";
    case Errc::cancelled:
      return "cancelled";
  }
  return "unknown";
}

std::unexpected<Error> within(std::string_view place, Error error) {
  error.text = fmt::format("{}: {}", place, error.text);
  return std::unexpected(std::move(error));
}

}  // namespace lightship
