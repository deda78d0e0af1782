// GET /api/openapi.json: every endpoint described for machines (OpenAPI 3.1). Tests hold the table
// of routes, real answers and the front-end's types against it.
#pragma once

#include <string_view>

namespace lightship::portal {

class Router;

// src/portal/openapi.json, as the build put it into the program.
extern const std::string_view kOpenapi;

void add_openapi(Router& router);

}  // namespace lightship::portal
