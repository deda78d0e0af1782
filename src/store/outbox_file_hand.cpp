// The outbox file while it is open, changed by hand.
#include "store/outbox_file.h"

namespace lightship {

namespace {
constexpr Duration kPatience = std::chrono::seconds(5);
constexpr std::uint64_t kMayCome = 10'000;
}  // namespace

// `ids`: so many are taken for it, behind all that are on disk and before all that follow. Its turn
// comes behind the commit under way, before the next; what takes ids also behind one that the disk
// refuses: the ids that were given come first.
Task<Result<OutboxHandiwork>> OutboxFile::by_hand(Work work, std::uint64_t ids) {
  const auto self = shared_from_this();
  const auto until = steady_now() + kPatience;
  {
    ++hands_;
    const auto leave = [](OutboxFile* file) {
      // Where the wait was in vain, others go on.
      if (--file->hands_ == 0) file->something_waits();
    };
    const std::unique_ptr<OutboxFile, decltype(leave)> on_leaving(this, leave);
    bool commit_first = !next_.asides.empty();  // what is set aside by now is meant too
    while (!open_ || busy_ || commit_first || (batch_ && ids > 0)) {
      if (open_ && !busy_ && commit_first) {
        commit_first = false;
        begin_commit();
        continue;
      }
      auto waiting = news(until);
      if (!co_await std::move(waiting))
        co_return fail(Errc::unavailable, "the disk takes nothing now; try it again later");
    }
    busy_ = true;
  }
  const auto from = last_id_;
  last_id_ += ids;
  const auto job = [disk = disk_, work = std::move(work), from] {
    return disk->by_hand([&](sqlite::Database& database) { return work(database, from); });
  };
  auto done = co_await worker_->run(job);
  busy_ = false;
  something_waits();
  notify();
  co_return done;
}

Task<Result<OutboxHandiwork>> OutboxFile::retry(std::string queue, std::int64_t id) {
  const auto self = shared_from_this();
  auto count = [queue, id](sqlite::Database& database, std::uint64_t) -> Result<OutboxHandiwork> {
    const auto found = count_set_aside(database, queue, id);
    if (!found) return fail(found.error());
    return OutboxHandiwork{{}, 0, *found};
  };
  auto counting = by_hand(std::move(count), 0);
  const auto there = co_await std::move(counting);
  if (!there || there->aside == 0) co_return there;
  auto move = [queue, id](sqlite::Database& database, std::uint64_t from) {
    return retry_set_aside(database, queue, id, from);
  };
  // More may be set aside meanwhile.
  auto moving = by_hand(std::move(move), there->aside + kMayCome);
  const auto done = co_await std::move(moving);
  if (!done) co_return done;
  for (const auto& moved : done->moved) {
    for (const auto& [name, known] : queues_) {
      if (known->number_ != moved.queue) continue;
      auto& lane = known->lane(moved.lane);
      lane.count += moved.count;
      lane.bytes += moved.bytes;
      lane.disk_to = std::max(lane.disk_to, moved.newest);
      known->aside_ -= std::min<std::uint64_t>(known->aside_, moved.count);
      known->refill(moved.lane);
    }
    const auto nobodys = unclaimed_.find(moved.queue);
    if (nobodys == unclaimed_.end()) continue;
    auto& lane = nobodys->second.lanes[static_cast<std::size_t>(moved.lane)];
    lane.count += moved.count;
    lane.bytes += moved.bytes;
    lane.newest = std::max(lane.newest, moved.newest);
    nobodys->second.aside -= std::min<std::uint64_t>(nobodys->second.aside, moved.count);
  }
  co_return done;
}

Task<Result<OutboxHandiwork>> OutboxFile::discard(std::string queue) {
  const auto self = shared_from_this();
  const auto used = [this](const std::string& name) {
    const auto known = queues_.find(name);
    return known != queues_.end() && known->second->ready_ != nullptr;
  };
  if (used(queue)) {
    co_return fail(
        Errc::refused,
        "a sink that runs delivers from '{}'; switch it off (enabled: false) and reload, "
        "or stop the gateway, and discard it then",
        queue);
  }
  auto drop = [queue](sqlite::Database& database, std::uint64_t) {
    return discard_queue(database, queue);
  };
  auto dropping = by_hand(std::move(drop), 0);
  const auto done = co_await std::move(dropping);
  if (!done) co_return done;
  if (const auto known = queues_.find(queue); known != queues_.end()) {
    for (auto& lane : known->second->lanes_) {
      lane.window.clear();
      lane.ready.clear();
      lane.window_bytes = lane.count = lane.bytes = 0;
      lane.loaded_to = lane.disk_to;
    }
    known->second->under_way_.clear();
    known->second->aside_ = 0;
  }
  if (const auto number = numbers_.find(queue); number != numbers_.end()) {
    if (const auto nobodys = unclaimed_.find(number->second); nobodys != unclaimed_.end()) {
      for (auto& lane : nobodys->second.lanes) lane.count = lane.bytes = 0;
      nobodys->second.aside = 0;
    }
  }
  co_return done;
}

}  // namespace lightship
