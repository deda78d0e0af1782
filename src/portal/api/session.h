// Logging in and out: /api/login, /api/logout, /api/session, /api/password, /api/sessions.
#pragma once

#include "portal/house.h"
#include "portal/router.h"

namespace lightship::portal {

void add_session(Router& router, House& house);
void add_sessions(Router& router, House& house);

}  // namespace lightship::portal
