// GET /api/live: the WebSocket of the live feed.
#pragma once

#include <string_view>

#include "portal/house.h"
#include "portal/router.h"

namespace lightship::portal {

void add_live(Router& router, LiveHub& live);

// Whether a page of this origin ("https://gateway.local:8443") is one of ours: its host and port
// are those that were asked. Behind a proxy that ends TLS the scheme is another one.
bool is_own_origin(std::string_view origin, std::string_view host);

}  // namespace lightship::portal
