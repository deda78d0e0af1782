// /api/users: who may log in. For administrators.
#pragma once

#include "portal/house.h"
#include "portal/router.h"

namespace lightship::portal {

void add_users(Router& router, House& house);

}  // namespace lightship::portal
