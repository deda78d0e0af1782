// The other spellings of some paths, and what is below a group.
//
// The diagram of the original RTU monitor says /api/devices, /api/service and /api/diag; its table
// says /api/device-health, /api/status and single endpoints. Both are answered, alike.
#pragma once

namespace lightship::portal {

class Router;

// After every other row was added: it copies rows, and GET /api lists them all.
void add_groups(Router& router);

}  // namespace lightship::portal
