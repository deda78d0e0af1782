// What a sink tells of its queue in GET /api/status.
#pragma once

#include "base/json_writer.h"
#include "store/outbox_queue.h"

namespace lightship {

// Members of the sink's object: waiting, waiting_bytes, under_way, oldest, dropped, thinned,
// unmade, set_aside.
void describe_queue(JsonWriter& json, const OutboxQueue& queue);

}  // namespace lightship
