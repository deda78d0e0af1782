// The field loop's side of the outbox file: what goes into which commit, and what came of it.
#include "store/outbox_file.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/text.h"

namespace lightship {

using namespace std::chrono_literals;

namespace {

// What may wait in memory while the disk takes nothing.
constexpr std::size_t kMostFresh = 4 << 20;
// Of it, what measurements leave to the alarms.
constexpr std::size_t kForAlarms = 256 << 10;
// One commit takes at most this much; when so much waits it does not wait for its time.
constexpr std::size_t kBatch = 512;
constexpr std::size_t kBatchBytes = 512 * 1024;
constexpr std::size_t kRemovals = 4096;
// Removals alone wait longer: forgetting one only means that it is sent again.
constexpr int kLazy = 10;
// When something must go, a little more goes, so that it need not at each commit.
constexpr std::size_t kSlack = 256 * 1024;
// In memory, without a data directory.
constexpr std::size_t kMostMemory = 64 << 20;

}  // namespace

std::shared_ptr<OutboxFile> OutboxFile::of(Context& context, const Settings& settings) {
  auto& heirloom = context.heirlooms["outbox"];
  if (heirloom) {
    auto file = std::static_pointer_cast<OutboxFile>(heirloom);
    file->change(settings);
    return file;
  }
  auto file = open(
      context, context.data_dir.empty() ? std::filesystem::path{} : context.data_dir / "outbox.db",
      settings);
  heirloom = file;
  return file;
}

std::shared_ptr<OutboxFile> OutboxFile::open(Context& context, std::filesystem::path file,
                                             const Settings& settings) {
  std::shared_ptr<OutboxFile> made(new OutboxFile(context, std::move(file), settings));
  made->begin_open();
  return made;
}

OutboxFile::OutboxFile(Context& context, std::filesystem::path file, const Settings& settings)
    : executor_(context.executor),
      clock_(context.clock),
      log_(context.logbook, "outbox"),
      alerts_(context.alerts),
      metrics_(context.metrics),
      disk_(std::make_shared<OutboxDisk>(std::move(file))),
      timer_(context.executor),
      backoff_({.first = 500ms, .limit = 10s}),
      patience_({.first = 5s, .limit = 5min}),
      worker_(std::make_unique<Worker>()) {
  change(settings);
}

void OutboxFile::change(const Settings& settings) {
  settings_ = settings;
  if (disk_->file().empty())
    settings_.max_size.bytes = std::min<std::uint64_t>(settings_.max_size.bytes, kMostMemory);
}

OutboxFile::~OutboxFile() {
  disk_->stop();
  worker_->stop();
  // It was not opened yet, or its look at the file was given up for the end.
  if (!open_ && !clean_but_for_answers()) {
    if (auto found = disk_->open(clock_.now(), known())) {
      adopt(std::move(*found));
      open_ = true;
    }
  }
  // What the thread has just done, and not told any more, is done once more: that changes nothing.
  for (int rounds = 0; open_ && !clean_but_for_answers() && rounds < 64; ++rounds) {
    if (!batch_) take_batch();
    const auto outcome = disk_->commit(*batch_);
    if (!outcome.done) {
      log_.error("what waited in memory is lost: the disk does not take it",
                 field("messages", batch_->inserts.size() + fresh_.size()),
                 field("why", outcome.done.error().text));
      break;
    }
    batch_.reset();
  }
  if (!open_ && !fresh_.empty()) {
    log_.error("what waited in memory is lost: the outbox file could not be opened",
               field("messages", fresh_.size()));
  }
}

std::shared_ptr<OutboxQueue> OutboxFile::queue(const std::string& sink) {
  auto& queue = queues_[sink];
  if (!queue) {
    queue = std::make_unique<OutboxQueue>(*this, sink);
    if (open_) claim(*queue);
  }
  const Labels labels{{"sink", sink}};
  const auto show = [&](const char* name, const char* help, auto read) {
    metrics_.gauge(name, help, labels, [weak = weak_from_this(), at = queue.get(), read]() {
      const auto self = weak.lock();
      return self ? static_cast<double>(read(*at)) : 0.0;
    });
  };
  show("outbox_messages", "messages waiting for acknowledgement",
       [](const OutboxQueue& q) { return q.waiting(); });
  show("outbox_oldest_seconds",
       "timestamp of the oldest that waits and is known, seconds since 1970; NaN: none",
       [](const OutboxQueue& q) {
         const auto oldest = q.oldest();
         return oldest ? std::chrono::duration<double>(oldest->time_since_epoch()).count()
                       : std::numeric_limits<double>::quiet_NaN();
       });
  show("outbox_bytes", "what they take", [](const OutboxQueue& q) { return q.bytes(); });
  show("outbox_dropped", "messages dropped because the outbox was full",
       [](const OutboxQueue& q) { return q.dropped(); });
  show("outbox_thinned", "messages left out of a full outbox to keep the time span",
       [](const OutboxQueue& q) { return q.thinned(); });
  show("outbox_unmade", "messages not made because the disk took nothing and memory was full",
       [](const OutboxQueue& q) { return q.unmade(); });
  show("outbox_set_aside", "messages set aside because the receiver refused them",
       [](const OutboxQueue& q) { return q.set_aside_count(); });
  return {shared_from_this(), queue.get()};
}

std::size_t OutboxFile::bytes() const {
  std::size_t sum = 0;
  for (const auto& [name, queue] : queues_) sum += queue->bytes();
  for (const auto& [number, found] : unclaimed_) sum += found.lanes[0].bytes + found.lanes[1].bytes;
  return sum;
}

std::uint64_t OutboxFile::settled() const {
  return pushed_ - fresh_.size() - (batch_ ? batch_->inserts.size() : 0);
}

// ---- what the queues ask
// -------------------------------------------------------------------------

bool OutboxFile::push(OutboxQueue& queue, OutboxMessage message) {
  const auto cost = message.cost();
  const auto most = message.lane == Lane::alarm ? kMostFresh : kMostFresh - kForAlarms;
  if (fresh_bytes_ + cost > most) {
    if (message.lane == Lane::measurement) ++queue.unmade_;  // an alarm is offered again
    return false;
  }
  message.waits_since = clock_.mono();
  ++pushed_;
  fresh_bytes_ += cost;
  ++queue.fresh_;
  queue.fresh_bytes_ += cost;
  if (!queue.oldest_fresh_) queue.oldest_fresh_ = message.timestamp;
  fresh_.push_back({&queue, std::move(message)});
  something_waits();
  return true;
}

void OutboxFile::remove(OutboxQueue& queue, Lane lane, std::uint64_t id) {
  next_.deletes.push_back(OutboxDisk::row(queue.number_, lane, id));
  something_waits();
}

void OutboxFile::set_aside(OutboxQueue& queue, Lane lane, std::uint64_t id, std::string reason) {
  reason = std::string(start_of(reason, 1000));
  next_.asides.push_back(
      {OutboxDisk::row(queue.number_, lane, id), std::move(reason), clock_.now()});
  something_waits();
}

void OutboxFile::load(OutboxQueue& queue, Lane lane, std::uint64_t after, std::size_t most,
                      std::size_t most_bytes) {
  worker_->post([weak = weak_from_this(), disk = disk_, at = &queue, number = queue.number_, lane,
                 after, most, most_bytes, home = executor_] {
    auto page = disk->read(number, lane, after, most, most_bytes);
    asio::post(home, [weak, at, lane, page = std::move(page)]() mutable {
      const auto self = weak.lock();
      if (!self) return;
      if (page) {
        for (auto& message : page->messages) message.waits_since = self->ages_.of(message.id);
      }
      if (page) return at->loaded(lane, std::move(page->messages), page->all);
      at->lane(lane).loading = false;
      self->lost_the_disk(page.error());
    });
  });
}

// ---- opening
// -------------------------------------------------------------------------------------

void OutboxFile::begin_open() {
  busy_ = true;
  open_ = false;
  worker_->post([weak = weak_from_this(), disk = disk_, known = known(), now = clock_.now(),
                 home = executor_] {
    auto found = disk->open(now, known);
    asio::post(home, [weak, found = std::move(found)]() mutable {
      if (const auto self = weak.lock()) self->opened(std::move(found));
    });
  });
}

// After trouble while running: what is known to be committed must be in the file again.
OutboxDisk::Batch OutboxFile::known() const {
  OutboxDisk::Batch known;
  for (const auto& [name, queue] : queues_) {
    if (queue->number_ == 0) continue;
    known.queues.emplace_back(queue->number_, name);
    for (const auto& lane : queue->lanes_) {
      for (const auto& [id, message] : lane.window)
        known.inserts.push_back({queue->number_, name, message});
    }
  }
  known.deletes = next_.deletes;
  // A commit that failed may have left its rows all the same; they come again.
  if (batch_) {
    for (const auto& insert : batch_->inserts)
      known.deletes.push_back(
          OutboxDisk::row(insert.queue, insert.message.lane, insert.message.id));
  }
  if (batch_)
    known.deletes.insert(known.deletes.end(), batch_->deletes.begin(), batch_->deletes.end());
  return known;
}

void OutboxFile::opened(Result<OutboxDisk::Found> found) {
  busy_ = false;
  if (!found) {
    lost_the_disk(found.error());
    notify();
    return;
  }
  open_ = true;
  patience_.reset();
  for (const auto& note : found->notes) log_.warn(note);
  if (!found->damage.empty()) {
    log_.error("the outbox file is not as it was", field("what", found->damage));
    Alert alert;
    alert.rule = "outbox-damaged";
    alert.severity = Alert::Severity::warning;
    alert.text = found->damage;
    alerts_.raise(std::move(alert));
  }
  adopt(std::move(*found));
  something_waits();
  for (const auto& [name, queue] : queues_) {
    for (const auto lane : {Lane::alarm, Lane::measurement}) queue->refill(lane);
    queue->tell_ready();
  }
  notify();
}

void OutboxFile::adopt(OutboxDisk::Found found) {
  last_id_ = std::max(last_id_, found.last_id);
  ages_.note(last_id_, clock_.mono());
  for (const auto& [at, number] : found.sequences) {
    auto& last = sequences_[at];
    last = std::max(last, number);
  }
  unclaimed_.clear();
  for (auto& [number, queue] : found.queues) {
    numbers_[queue.name] = number;
    last_number_ = std::max(last_number_, number);
    unclaimed_[number] = std::move(queue);
  }
  for (const auto& [name, queue] : queues_) claim(*queue);
}

// The queue takes over what the file has of it.
void OutboxFile::claim(OutboxQueue& queue) {
  const auto known = numbers_.find(queue.name_);
  if (known == numbers_.end()) {
    if (queue.number_ == 0) queue.number_ = ++last_number_;
    numbers_[queue.name_] = queue.number_;
    next_.queues.emplace_back(queue.number_, queue.name_);
    return;
  }
  queue.number_ = known->second;
  const auto found = unclaimed_.find(queue.number_);
  if (found == unclaimed_.end()) return;
  for (std::size_t i = 0; i < 2; ++i) {
    queue.lanes_[i].count = found->second.lanes[i].count;
    queue.lanes_[i].bytes = found->second.lanes[i].bytes;
    queue.lanes_[i].disk_to = std::max(queue.lanes_[i].disk_to, found->second.lanes[i].newest);
  }
  queue.aside_ = found->second.aside;
  unclaimed_.erase(found);
  for (const auto lane : {Lane::alarm, Lane::measurement}) queue.refill(lane);
}

// ---- committing
// ----------------------------------------------------------------------------------

bool OutboxFile::clean_but_for_answers() const {
  return !batch_ && fresh_.empty() && next_.empty();
}

void OutboxFile::something_waits() {
  if (busy_) return;                           // looked at again when that is done
  if (hands_ > 0 && open_ && !batch_) return;  // theirs is the next turn, and after it
  const auto now = steady_now();
  auto when = last_commit_ == MonoTime::min() ? now : last_commit_ + settings_.commit_every;
  const bool enough =
      fresh_.size() >= kBatch || fresh_bytes_ >= kBatchBytes || next_.deletes.size() >= kRemovals;
  if (!batch_ && fresh_.empty() && next_.asides.empty() && next_.queues.empty()) {
    if (next_.deletes.empty()) return;
    when = std::max(now, last_commit_) + kLazy * settings_.commit_every;
  }
  if (enough || hurried_ > 0) when = now;
  arm(std::max(when, quiet_until_));
}

void OutboxFile::arm(MonoTime when) {
  if (armed_ && armed_for_ <= when) return;
  armed_ = true;
  armed_for_ = when;
  timer_.expires_at(when);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self) return;
    self->armed_ = false;
    if (self->busy_) return;
    if (self->hands_ > 0 && self->open_ && !self->batch_) return;
    if (self->open_)
      self->begin_commit();
    else
      self->begin_open();
  });
}

void OutboxFile::take_batch() {
  batch_ = std::make_shared<OutboxDisk::Batch>();
  const auto most = std::min<std::size_t>(kBatchBytes, settings_.max_size.bytes / 4);
  std::size_t bytes = 0;
  while (!fresh_.empty() && batch_->inserts.size() < kBatch && (bytes == 0 || bytes < most)) {
    auto& [queue, message] = fresh_.front();
    const auto cost = message.cost();
    bytes += cost;
    fresh_bytes_ -= cost;
    message.id = ++last_id_;
    if (!message.key.empty()) message.sequence = ++sequences_[{queue->number_, message.key}];
    batch_->inserts.push_back({queue->number_, queue->name_, std::move(message)});
    fresh_.pop_front();
  }
  if (bytes > 0) ages_.note(last_id_, clock_.mono());
  take_removals();
  batch_->may_shrink = this->bytes() < settings_.max_size.bytes / 8;
}

void OutboxFile::take_removals() {
  make_room();
  const auto take = [](auto& from, auto& into) {
    into.insert(into.end(), std::make_move_iterator(from.begin()),
                std::make_move_iterator(from.end()));
    from.clear();
  };
  take(next_.queues, batch_->queues);
  take(next_.deletes, batch_->deletes);
  take(next_.asides, batch_->asides);
  take(next_.trims, batch_->trims);
}

void OutboxFile::begin_commit() {
  if (clean_but_for_answers()) return;
  if (!batch_)
    take_batch();
  else
    take_removals();
  busy_ = true;
  worker_->post([weak = weak_from_this(), disk = disk_, batch = batch_, home = executor_] {
    auto outcome = disk->commit(*batch);
    asio::post(home, [weak, outcome = std::move(outcome)]() mutable {
      if (const auto self = weak.lock()) self->committed(std::move(outcome));
    });
  });
}

// What is too much goes: of the queue that holds most, the oldest measurements; alarms only where
// there is nothing else.
void OutboxFile::make_room() {
  const auto limit = settings_.max_size.bytes;
  auto total = bytes();
  if (total <= limit || !batch_->trims.empty()) return;
  const auto slack = std::min<std::size_t>(kSlack, limit / 16);
  auto excess = total - limit + slack;
  for (const auto which : {Lane::measurement, Lane::alarm}) {
    const auto i = static_cast<std::size_t>(which);
    // A few turns: one queue may not have enough.
    for (std::size_t turn = 0; excess > 0 && turn < queues_.size() + unclaimed_.size(); ++turn) {
      OutboxQueue* most = nullptr;
      std::int64_t nobodys = 0;
      std::size_t held = 0;
      for (const auto& [name, queue] : queues_) {
        const auto trimmed =
            std::ranges::find(next_.trims, queue->number_, &OutboxDisk::Trim::queue);
        if (trimmed != next_.trims.end() || queue->number_ == 0) continue;
        if (queue->lanes_[i].bytes > held) held = queue->lanes_[i].bytes, most = queue.get();
      }
      for (const auto& [number, found] : unclaimed_) {
        const auto trimmed = std::ranges::find(next_.trims, number, &OutboxDisk::Trim::queue);
        if (trimmed == next_.trims.end() && found.lanes[i].bytes > held)
          held = found.lanes[i].bytes, most = nullptr, nobodys = number;
      }
      if (held == 0) break;
      const bool thin =
          settings_.overflow == Settings::Overflow::thin && which == Lane::measurement;
      if (most == nullptr) {
        next_.trims.push_back({nobodys, which, 0, std::min(excess, held), thin});
        excess -= std::min(excess, held);
        continue;
      }
      auto& lane = most->lanes_[i];
      const auto in_file = lane.bytes - std::min(lane.bytes, lane.window_bytes);
      if (lane.loading) break;  // what is read now must not go meanwhile
      // Thinning looks at what lies behind the window; else the window has the oldest.
      if (!(thin && in_file > excess))
        excess -= std::min(excess, most->drop_from_window(which, excess));
      if (excess == 0) break;
      const auto from_file = std::min(excess, lane.bytes - std::min(lane.bytes, lane.window_bytes));
      if (from_file > 0)
        next_.trims.push_back({most->number_, which, lane.loaded_to, from_file, thin});
      excess -= from_file;
    }
    if (excess == 0) return;
  }
}

void OutboxFile::committed(OutboxDisk::Outcome outcome) {
  busy_ = false;
  last_commit_ = steady_now();
  if (outcome.removed) {
    batch_->queues.clear();
    batch_->deletes.clear();
    batch_->asides.clear();
    batch_->trims.clear();
    for (const auto& gone : outcome.trimmed) count_trimmed(gone);
  }
  std::vector<OutboxQueue*> news;
  for (std::size_t i = 0; i < outcome.inserted; ++i) {
    auto& insert = batch_->inserts[i];
    auto* queue = queues_.at(insert.queue_name).get();
    --queue->fresh_;
    queue->fresh_bytes_ -= insert.message.cost();
    if (queue->fresh_ == 0) queue->oldest_fresh_.reset();
    queue->committed(std::move(insert.message));
    if (std::ranges::find(news, queue) == news.end()) news.push_back(queue);
  }
  batch_->inserts.erase(batch_->inserts.begin(),
                        batch_->inserts.begin() + static_cast<std::ptrdiff_t>(outcome.inserted));
  if (outcome.done) {
    batch_.reset();
    if (outcome.no_room_left)
      tell_full();
    else
      tell_well();
  } else {
    lost_the_disk(outcome.done.error());
  }
  tell_overflow();
  if (!busy_ && !clean_but_for_answers()) something_waits();
  notify();
  for (auto* queue : news) queue->tell_ready();
}

void OutboxFile::count_trimmed(const OutboxDisk::Trimmed& gone) {
  for (const auto& [name, queue] : queues_) {
    if (queue->number_ != gone.queue) continue;
    auto& lane = queue->lane(gone.lane);
    lane.count -= std::min(lane.count, gone.count);
    lane.bytes -= std::min(lane.bytes, gone.bytes);
    (gone.thin ? queue->thinned_ : queue->dropped_) += gone.count;
    return;
  }
  const auto found = unclaimed_.find(gone.queue);
  if (found == unclaimed_.end()) return;
  auto& lane = found->second.lanes[static_cast<std::size_t>(gone.lane)];
  lane.count -= std::min(lane.count, gone.count);
  lane.bytes -= std::min(lane.bytes, gone.bytes);
  lost_unclaimed_ += gone.count;
}

// ---- waiting for the disk
// ------------------------------------------------------------------------

Task<void> OutboxFile::flush(Duration limit) {
  const auto self = shared_from_this();
  const auto until = steady_now() + limit;
  const auto refused_before = refusals_;
  quiet_until_ = MonoTime::min();
  ++hurried_;
  const auto leave = [](OutboxFile* file) { --file->hurried_; };
  const std::unique_ptr<OutboxFile, decltype(leave)> on_leaving(this, leave);
  while (!clean_but_for_answers() || !open_) {
    if (!busy_ && refusals_ > refused_before && !trouble_.empty()) co_return;
    if (open_)
      something_waits();
    else if (!busy_)
      begin_open();
    if (!co_await news(until)) co_return;
  }
}

Task<bool> OutboxFile::news(MonoTime until) {
  asio::steady_timer told(executor_, until);
  const auto place = flushing_.insert(flushing_.end(), &told);
  const auto forget = [this, place](void*) { flushing_.erase(place); };
  const std::unique_ptr<asio::steady_timer, decltype(forget)> on_told(&told, forget);
  boost::system::error_code ended;
  co_await told.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
  co_return bool(ended);
}

void OutboxFile::notify() {
  for (auto* timer : flushing_) timer->cancel();
}

}  // namespace lightship
