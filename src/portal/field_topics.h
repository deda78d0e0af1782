// The topics of /api/live that show the field: "devices", "device:<id>", "services".
#pragma once

#include "portal/live/hub.h"

namespace lightship::portal {

class Views;

void add_field_topics(LiveHub& live, Views& views);

}  // namespace lightship::portal
