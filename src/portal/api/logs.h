// GET /api/logs: the newest lines of the log, searched; topic "logs".
#pragma once

#include "portal/house.h"
#include "portal/router.h"

namespace lightship::portal {

// It is searched on `worker`.
void add_logs(Router& router, const LogRing& ring, Clock& clock, Worker& worker);
void add_logs_topic(LiveHub& live, const LogRing& ring);

}  // namespace lightship::portal
