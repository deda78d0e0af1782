// Reads queues and what was set aside.
#include "store/outbox_look.h"

#include "store/outbox_disk.h"

namespace lightship {

Result<OutboxLook> look_into_outbox(const std::filesystem::path& file) {
  std::error_code failed;
  if (!std::filesystem::exists(file, failed))
    return fail(Errc::unavailable, "there is no {}: nothing was ever queued there", file.string());
  auto database = sqlite::Database::open(file, {.access = sqlite::Access::read_only});
  if (!database) return fail(database.error());
  OutboxLook found;
  std::vector<std::int64_t> numbers;
  auto queues = database->prepare("SELECT number,name FROM queue ORDER BY name");
  if (!queues) return fail(queues.error());
  for (;;) {
    const auto row = queues->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    numbers.push_back(queues->integer(0));
    found.queues.push_back({std::string(queues->text(1)), 0, 0, 0, {}});
  }
  auto lanes = database->prepare(
      "SELECT count(*),total(cost),min(timestamp) FROM message WHERE row BETWEEN ? AND ?");
  if (!lanes) return fail(lanes.error());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    auto& queue = found.queues[i];
    for (const auto lane : {Lane::alarm, Lane::measurement}) {
      lanes->bind(0, OutboxDisk::row(numbers[i], lane, 0));
      lanes->bind(1, OutboxDisk::row(numbers[i], lane, OutboxDisk::kLastId));
      if (const auto row = lanes->step(); !row) return fail(row.error());
      const auto count = static_cast<std::uint64_t>(lanes->integer(0));
      (lane == Lane::alarm ? queue.alarms : queue.measurements) = count;
      queue.bytes += static_cast<std::uint64_t>(lanes->real(1));
      if (count > 0) {
        const Time oldest{Duration(lanes->integer(2))};
        queue.oldest = queue.oldest ? std::min(*queue.oldest, oldest) : oldest;
      }
      lanes->reset();
    }
  }
  auto aside = database->prepare(
      "SELECT aside.id,queue.name,key,sequence,target,reason,at,timestamp FROM aside LEFT JOIN "
      "queue ON queue.number=aside.queue ORDER BY aside.id");
  if (!aside) return fail(aside.error());
  for (;;) {
    const auto row = aside->step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    OutboxLook::Aside one;
    one.id = aside->integer(0);
    one.queue = aside->text(1);
    one.key = aside->text(2);
    one.sequence = static_cast<std::uint64_t>(aside->integer(3));
    one.target = aside->text(4);
    one.reason = aside->text(5);
    one.at = Time(Duration(aside->integer(6)));
    one.timestamp = Time(Duration(aside->integer(7)));
    found.aside.push_back(std::move(one));
  }
}

}  // namespace lightship
