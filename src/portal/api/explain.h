// GET /api/diag/explain?about=device:… | line:… | point:…
#pragma once

#include "portal/router.h"

namespace lightship::portal {

class Views;

void add_explain(Router& router, Views& views);

}  // namespace lightship::portal
