// /healthz, /readyz and /metrics: for machines that watch this one.
#pragma once

#include "portal/field.h"
#include "portal/portal.h"
#include "portal/router.h"

namespace lightship::portal {

// `metrics_open`: /metrics needs no session.
void add_health(Router& router, Field& field, const Program& program, bool metrics_open);

}  // namespace lightship::portal
