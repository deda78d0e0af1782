// /healthz, /readyz and /metrics: for machines that watch this one.
#pragma once

#include "portal/field.h"
#include "portal/portal.h"
#include "portal/router.h"

namespace lightship::portal {

// Who may ask for /metrics without a session.
enum class MetricsOpen {
  nobody,
  here,  // this machine, but not a proxy on it that speaks for somebody else
  everybody
};
void add_health(Router& router, Clock& clock, Field& field, const Program& program,
                MetricsOpen open);

}  // namespace lightship::portal
