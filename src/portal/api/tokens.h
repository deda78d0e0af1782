// /api/tokens: tokens for scripts. For administrators.
#pragma once

#include "portal/house.h"
#include "portal/router.h"

namespace lightship::portal {

void add_tokens(Router& router, House& house);

}  // namespace lightship::portal
