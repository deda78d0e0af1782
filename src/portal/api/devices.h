// GET /api/device-health, /api/device/{id}/registers; POST /api/device/{id}/poll and /write.
#pragma once

#include "portal/router.h"

namespace lightship::portal {

class Views;
class Field;

void add_devices(Router& router, Views& views, Field& field);

}  // namespace lightship::portal
