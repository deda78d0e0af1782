// Writes the members.
#include "store/outbox_status.h"

namespace lightship {

void describe_queue(JsonWriter& json, const OutboxQueue& queue) {
  json.member("waiting", queue.waiting());
  json.member("waiting_bytes", queue.bytes());
  json.member("under_way", queue.under_way());
  json.key("oldest");
  if (const auto oldest = queue.oldest())
    json.value(to_rfc3339(*oldest));
  else
    json.null();
  json.member("dropped", queue.dropped());
  json.member("thinned", queue.thinned());
  json.member("unmade", queue.unmade());
  json.member("set_aside", queue.set_aside_count());
}

}  // namespace lightship
