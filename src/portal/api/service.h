// POST /api/service/restart: one part, or the whole program.
#pragma once

#include "portal/field.h"
#include "portal/portal.h"
#include "portal/router.h"

namespace lightship::portal {

void add_service(Router& router, Field& field, const Program& program);

}  // namespace lightship::portal
