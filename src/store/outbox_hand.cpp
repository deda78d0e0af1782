// Moves and deletes rows of the outbox.
#include "store/outbox_hand.h"

#include <algorithm>

#include "store/outbox_disk.h"

namespace lightship {
namespace {

using sqlite::Database;
using sqlite::Transaction;

constexpr const char* kChosen =
    " FROM aside WHERE (?1='' OR queue=(SELECT number FROM queue WHERE name=?1)) AND (?2=0 OR "
    "id=?2)";

Result<std::int64_t> number_of(Database& database, const std::string& queue) {
  auto select = database.prepare("SELECT number FROM queue WHERE name=?");
  if (!select) return fail(select.error());
  select->bind(0, std::string_view(queue));
  const auto found = select->step();
  if (!found) return fail(found.error());
  if (!*found) {
    return fail(Errc::invalid,
                "there is no queue '{}'; lightship outbox lists those that are there", queue);
  }
  return select->integer(0);
}

}  // namespace

Result<std::uint64_t> count_set_aside(Database& database, const std::string& queue,
                                      std::int64_t id) {
  if (!queue.empty()) {
    if (auto known = number_of(database, queue); !known) return fail(known.error());
  }
  auto select = database.prepare(std::string("SELECT count(*)") + kChosen);
  if (!select) return fail(select.error());
  select->bind(0, std::string_view(queue)).bind(1, id);
  if (const auto row = select->step(); !row) return fail(row.error());
  return static_cast<std::uint64_t>(select->integer(0));
}

Result<OutboxHandiwork> retry_set_aside(Database& database, const std::string& queue,
                                        std::int64_t id, std::uint64_t last_id) {
  OutboxHandiwork done;
  auto transaction = Transaction::begin(database);
  if (!transaction) return fail(transaction.error());
  struct Found {
    std::int64_t id, queue;
    Lane lane;
    std::size_t cost;
  };
  constexpr const char* kCost =
      "64+length(CAST(key AS BLOB))+length(CAST(target AS BLOB))+length(body)";
  std::vector<Found> found;
  {
    auto select =
        database.prepare(fmt::format("SELECT id,queue,row>>47&1,{}{} ORDER BY id", kCost, kChosen));
    if (!select) return fail(select.error());
    select->bind(0, std::string_view(queue)).bind(1, id);
    for (;;) {
      const auto row = select->step();
      if (!row) return fail(row.error());
      if (!*row) break;
      found.push_back({select->integer(0), select->integer(1),
                       select->integer(2) == 0 ? Lane::alarm : Lane::measurement,
                       static_cast<std::size_t>(select->integer(3))});
    }
  }
  auto put = database.prepare(fmt::format(
      "INSERT INTO message(row,key,sequence,target,timestamp,interval,qos,retain,cost,body) SELECT "
      "?,key,sequence,target,timestamp,interval,qos,retain,{},body FROM aside WHERE id=?",
      kCost));
  auto remove = database.prepare("DELETE FROM aside WHERE id=?");
  if (!put) return fail(put.error());
  if (!remove) return fail(remove.error());
  for (const auto& one : found) {
    const auto at = OutboxDisk::row(one.queue, one.lane, ++last_id);
    if (auto moved = put->bind(0, at).bind(1, one.id).run(); !moved) return fail(moved.error());
    if (auto gone = remove->bind(0, one.id).run(); !gone) return fail(gone.error());
    auto into = std::ranges::find_if(done.moved, [&](const OutboxHandiwork::Moved& moved) {
      return moved.queue == one.queue && moved.lane == one.lane;
    });
    if (into == done.moved.end())
      into = done.moved.insert(into, {.queue = one.queue, .lane = one.lane});
    ++into->count;
    into->bytes += one.cost;
    into->newest = last_id;
  }
  done.aside = found.size();
  if (auto put_down = transaction->commit(); !put_down) return fail(put_down.error());
  return done;
}

Result<OutboxHandiwork> discard_queue(Database& database, const std::string& queue) {
  const auto number = number_of(database, queue);
  if (!number) return fail(number.error());
  OutboxHandiwork done;
  auto transaction = Transaction::begin(database);
  if (!transaction) return fail(transaction.error());
  // Where every message has left, the rows do not tell which ids were given.
  const auto kept = last_id_of(database);
  if (!kept) return fail(kept.error());
  const std::string sqls[] = {
      fmt::format("INSERT INTO meta(name,value) VALUES('last_id',{}) ON CONFLICT(name) DO UPDATE "
                  "SET value=max(value,excluded.value)",
                  *kept),
      fmt::format("DELETE FROM aside WHERE queue={}", *number),
      fmt::format("DELETE FROM message WHERE row BETWEEN {} AND {}",
                  OutboxDisk::row(*number, Lane::alarm, 0),
                  OutboxDisk::row(*number, Lane::measurement, OutboxDisk::kLastId))};
  for (const auto& sql : sqls) {
    if (auto run = database.execute(sql); !run) return fail(run.error());
    done.aside = std::exchange(done.messages, static_cast<std::size_t>(database.changes()));
  }
  if (auto put_down = transaction->commit(); !put_down) return fail(put_down.error());
  return done;
}

Result<std::uint64_t> last_id_of(Database& database) {
  const auto given = database.integer("SELECT value FROM meta WHERE name='last_id'");
  if (!given) return fail(given.error());
  const auto there = database.integer(
      fmt::format("SELECT coalesce(max(row & {}),0) FROM message", OutboxDisk::kLastId));
  if (!there) return fail(there.error());
  return static_cast<std::uint64_t>(std::max(*given, *there));
}

}  // namespace lightship
