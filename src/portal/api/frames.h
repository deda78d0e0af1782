// GET /api/diag/frames: what went over the lines, in bytes and in words; the same as a capture for
// Wireshark; topic "frames:<line>".
#pragma once

#include "portal/house.h"
#include "portal/live/hub.h"
#include "portal/router.h"

namespace lightship::portal {

// `worker` gives memory back that captures have needed.
void add_frames(Router& router, Field& field, Clock& clock, Worker& worker);
void add_frames_topic(LiveHub& live, Field& field);

}  // namespace lightship::portal
