// GET /api/metrics, the topic "metrics".
#pragma once

#include "portal/diag/meter.h"
#include "portal/house.h"
#include "portal/router.h"

namespace lightship::portal {

void add_metrics(Router& router, const Meter& meter);
void add_metrics_topic(LiveHub& live, const Meter& meter);

}  // namespace lightship::portal
