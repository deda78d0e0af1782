// GET /api/status: how the gateway does, for people, scripts and health probes; GET
// /api/diag/lines.
#pragma once

#include <functional>
#include <string>

#include "portal/router.h"

namespace lightship::portal {

class Views;
class Field;

// `program`: what the program says of itself, a JSON object as text; asked on the field loop.
void add_status(Router& router, Views& views, Field& field, std::function<std::string()> program);

}  // namespace lightship::portal
