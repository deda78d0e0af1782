// GET /api/live: the WebSocket of the live feed.
#pragma once

#include "portal/house.h"
#include "portal/router.h"

namespace lightship::portal {

void add_live(Router& router, LiveHub& live);

}  // namespace lightship::portal
