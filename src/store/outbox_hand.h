// What a person does to the outbox by hand: offer again what was set aside, discard what nobody
// will fetch any more.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/outbox_message.h"
#include "store/sqlite/database.h"

namespace lightship {

struct OutboxHandiwork {
  struct Moved {
    std::int64_t queue = 0;
    Lane lane = Lane::measurement;
    std::size_t count = 0, bytes = 0;
    std::uint64_t newest = 0;  // its id
  };
  std::vector<Moved> moved;             // back into their queues
  std::size_t messages = 0, aside = 0;  // moved or discarded: what waited, what was set aside
};

// Those of the queue (empty: of all) and with this number (0: any) go to the end of their queue,
// with the `sequence` they had. `last_id`: the last id that was given; those from it on are taken.
Result<OutboxHandiwork> retry_set_aside(sqlite::Database& database, const std::string& queue,
                                        std::int64_t id, std::uint64_t last_id);
Result<std::uint64_t> count_set_aside(sqlite::Database& database, const std::string& queue,
                                      std::int64_t id);

// What waits in the queue and what was set aside of it. Its numbers go on where they were.
Result<OutboxHandiwork> discard_queue(sqlite::Database& database, const std::string& queue);

// For a file that no gateway has open.
Result<std::uint64_t> last_id_of(sqlite::Database& database);

}  // namespace lightship
