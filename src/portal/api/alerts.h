// GET /api/alerts, POST /api/alerts/{id}/ack, and the topic "alerts".
#pragma once

#include "portal/house.h"
#include "portal/router.h"

namespace lightship::portal {

void add_alerts(Router& router, House& house);

}  // namespace lightship::portal
