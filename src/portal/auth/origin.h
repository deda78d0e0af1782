// Whether a page that asks is one of ours (the header Origin; RFC 6454, 7).
#pragma once

#include <string_view>

#include "portal/http/message.h"

namespace lightship::portal {

// A page of this origin ("https://gateway.local:8443") has the host and port that were asked. What
// came over TLS is asked by a page that did, too; on plain http the scheme may be https, for a
// proxy that ends TLS.
bool is_own_origin(const Request& request, std::string_view origin);

}  // namespace lightship::portal
