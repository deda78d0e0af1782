// Compares scheme, host and port.
#include "portal/auth/origin.h"

#include "base/text.h"

namespace lightship::portal {

bool is_own_origin(const Request& request, std::string_view origin) {
  const auto end = origin.find("://");
  const auto host = request.header("host");
  if (end == std::string_view::npos || host.empty()) return false;
  const auto scheme = to_lower(origin.substr(0, end));
  if (scheme != "https" && (request.secure || scheme != "http")) return false;
  return to_lower(origin.substr(end + 3)) == to_lower(host);
}

}  // namespace lightship::portal
