// Feeds the recorder and the keeper.
#include "sinks/history/history_sink.h"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace lightship::history {

using namespace std::chrono_literals;

namespace {

// 50 connections that answer at once, some times over: the recorder takes them as fast as it can.
constexpr std::size_t kInletCapacity = 1024;
// So much may gather before it is written early, and so much may wait for a disk.
constexpr std::size_t kWriteEarly = 1 << 20;
constexpr std::size_t kMostWaiting = 8 << 20;
// A reading may be under way for so long after its minute has ended.
constexpr auto kLate = 2s;

Keeper::Settings settings_of(const Context& context, const HistoryConfig& config) {
  return {context.data_dir / kFileName,
          {config.raw / 1ms, config.minute / 1ms, config.hour / 1ms, config.day / 1ms,
           config.max_size.bytes},
          config.write_budget.bytes};
}

RecorderSettings settings_of(const HistoryConfig& config) {
  return {.store_raw = config.raw > 0s,
          .on_change = config.store == Store::on_change,
          .deadband = config.deadband,
          .at_least_every = config.at_least_every};
}

}  // namespace

HistorySink::HistorySink(Context& context, HistoryConfig config)
    : context_(context),
      config_(config),
      log_(context.logbook, "history"),
      recorder_(std::in_place, context.catalog, settings_of(config)),
      inlet_(context.bus.subscribe("history", kInletCapacity)),
      keeper_(std::make_unique<Keeper>(settings_of(context, config))),
      soon_(context.executor),
      stored_(context.metrics.counter("history_values_total", "raw values recorded")),
      rollups_(context.metrics.counter("history_rollups_total", "roll-ups of a minute recorded")),
      dropped_(context.metrics.counter("history_dropped_total",
                                       "raw values and roll-ups dropped because the disk did not "
                                       "take them")),
      commits_(context.metrics.counter("history_commits_total", "transactions")),
      written_(context.metrics.counter("history_written_bytes_total",
                                       "bytes given to the disk for the history")) {
  const auto label = std::pair<std::string, std::string>("sink", "history");
  const auto gauge = [&](const char* name, const char* help, auto read) {
    context.metrics.gauge(name, help, {label},
                          [this, read] { return static_cast<double>(read(*this)); });
  };
  gauge("history_file_bytes", "bytes of history.db in use",
        [](const HistorySink& s) { return s.report_.figures.used; });
  gauge("history_written_today_bytes", "bytes written since midnight UTC",
        [](const HistorySink& s) { return s.report_.written_today; });
  gauge("history_oldest_raw_seconds", "time of the oldest raw value, seconds since 1970",
        [](const HistorySink& s) { return s.report_.figures.oldest_raw / 1000; });
  gauge("history_series", "points that are recorded",
        [](const HistorySink& s) { return s.recorder_->points(); });
  gauge("history_waiting_bytes", "bytes that wait for the disk",
        [](const HistorySink& s) { return s.waiting_bytes_ + s.recorder_->pending_bytes(); });
}

HistorySink::~HistorySink() { context_.metrics.remove_gauges({"sink", "history"}); }

Task<Error> HistorySink::run() {
  heart_ = context_.progress.enroll("history");
  TaskGroup group(context_.executor);
  group.spawn(listen());
  group.spawn(commit_in_time());
  co_await group.run();
  co_return Error{Errc::closed, "stopped", 0};
}

Task<void> HistorySink::listen() {
  for (;;) {
    const auto event = co_await inlet_->next();
    recorder_->take(*event);
    const auto pending = recorder_->pending_bytes();
    if (pending > kWriteEarly && !failing_) soon_.cancel();
    if (pending > kMostWaiting / 2) gather();  // the disk takes its time: what waits is bounded
  }
}

Task<void> HistorySink::commit_in_time() {
  // Opens the file at once, so that what is wrong with it shows at the start.
  for (;;) {
    heart_->beat(600s + 2 * config_.commit_every);
    co_await commit();
    soon_.expires_after(config_.commit_every);
    boost::system::error_code woken;
    co_await soon_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
  }
}

void HistorySink::gather() {
  auto batch = recorder_->take_batch();
  stored_ += recorder_->values() - seen_values_;
  rollups_ += recorder_->rollups() - seen_rollups_;
  seen_values_ = recorder_->values();
  seen_rollups_ = recorder_->rollups();
  if (batch.empty()) return;
  for (const auto& event : batch.events) {
    log_.warn("a counter fell", field("what", to_string(event.what.what)),
              field("before", event.what.before), field("after", event.what.after),
              field("counted", event.what.increase));
  }
  waiting_bytes_ += batch.bytes();
  waiting_.push_back(std::move(batch));
  bound();
}

// A reload has given points other units: what comes now is another series.
void HistorySink::begin_anew(Time now) {
  recorder_->close_all(now);
  gather();
  const auto next = recorder_->next_group();
  recorder_.emplace(context_.catalog, settings_of(config_), next);
  seen_values_ = seen_rollups_ = 0;
  log_.info("units have changed, new series begin");
}

// To a writer that knows nobody yet, in front of everything that waits. What a recorder before this
// one has left cannot be told of any more: its units are gone.
void HistorySink::introduce_groups() {
  for (auto& batch : waiting_) {
    batch.layouts.clear();
    std::erase_if(batch.blocks, [&](const Batch::Block& block) {
      if (block.group >= recorder_->first_group()) return false;
      dropped_ += block.values;
      return true;
    });
  }
  waiting_.emplace_front().layouts = recorder_->layouts();
}

// Past the limit the oldest raw values go first, then the oldest roll-ups.
void HistorySink::bound() {
  for (const auto tier : {Tier::raw, Tier::minute}) {
    for (auto& batch : waiting_) {
      if (waiting_bytes_ <= kMostWaiting) return;
      std::erase_if(batch.blocks, [&](const Batch::Block& block) {
        if (block.tier != tier || waiting_bytes_ <= kMostWaiting) return false;
        dropped_ += block.values;
        waiting_bytes_ -= block.bytes.size() + sizeof(Batch::Block);
        return true;
      });
    }
  }
}

Task<void> HistorySink::commit() {
  if (busy_) co_return;
  busy_ = true;
  const auto now = context_.clock.now();
  const auto steady = context_.clock.mono();
  recorder_->sweep(now - kLate);
  if (std::exchange(look_at_units_, false) && recorder_->is_outdated()) begin_anew(now);
  gather();
  // What the worker looks at is nobody else's until it is back.
  auto under_way = std::exchange(waiting_, {});
  waiting_bytes_ = 0;
  std::vector<const Batch*> batches;
  for (const auto& batch : under_way) batches.push_back(&batch);
  std::size_t appended = 0;
  const auto job = [&] { return keeper_->work(batches, appended, to_millis(now), steady); };
  const auto report = co_await worker_.run(job);
  if (appended > 0) ++commits_;
  under_way.erase(under_way.begin(), under_way.begin() + static_cast<std::ptrdiff_t>(appended));
  for (auto& batch : waiting_) under_way.push_back(std::move(batch));
  waiting_ = std::move(under_way);
  if (report.new_writer) introduce_groups();
  waiting_bytes_ = 0;
  for (const auto& batch : waiting_) waiting_bytes_ += batch.bytes();
  bound();
  busy_ = false;
  tell(report);
  if (report.new_writer && report.done) co_await commit();
}

void HistorySink::tell(const Keeper::Report& report) {
  if (report.figures.written > report_.figures.written)
    written_ += report.figures.written - report_.figures.written;
  for (const auto& line : report.news) log_.warn(line);
  if (!report.repaired.empty()) {
    log_.error("the history was damaged", field("what", report.repaired));
    context_.alerts.raise({.rule = "history-damaged", .text = report.repaired});
  }
  if (!report.done) {
    failing_ = true;
    log_.error("the history cannot be written", field("why", report.done.error().text),
               field("waiting_bytes", waiting_bytes_));
    context_.alerts.raise(
        {.rule = report.full ? "disk-full" : "history-failing",
         .point = "history",
         .severity = Alert::Severity::critical,
         .text = fmt::format("The history cannot be written: {}. Values wait in memory, then the "
                             "oldest are dropped. Make room on the disk of {}.",
                             report.done.error().text, context_.data_dir.string())});
  } else {
    if (std::exchange(failing_, false)) log_.info("the history is written again");
    // Also what an earlier run has raised.
    context_.alerts.clear("disk-full", "history");
    context_.alerts.clear("history-failing", "history");
  }
  if (report.over_budget && !report_.over_budget) {
    log_.warn("the write budget of the day is spent, raw values are thinned out",
              field("written", report.written_today), field("budget", config_.write_budget.bytes));
    context_.alerts.raise(
        {.rule = "history-budget",
         .text = fmt::format("{} MB were written for the history today, more than write_budget "
                             "allows: until midnight UTC raw values are stored once a minute; "
                             "roll-ups go on.",
                             report.written_today / 1'000'000)});
  } else if (!report.over_budget) {
    context_.alerts.clear("history-budget");
  }
  recorder_->resume(report.levels);
  recorder_->thin(report.over_budget);
  report_ = report;
}

Task<void> HistorySink::drain(Duration limit) {
  keeper_->stop();
  const auto until = context_.clock.mono() + limit;
  while ((inlet_->waiting() > 0 || busy_) && context_.clock.mono() < until)
    co_await context_.clock.sleep_for(2ms);
  if (busy_) {
    log_.error("the newest of the history is lost: the disk has not answered in time",
               field("bytes", waiting_bytes_ + recorder_->pending_bytes()));
    co_return;
  }
  busy_ = true;
  const auto now = context_.clock.now();
  const auto steady = context_.clock.mono();
  recorder_->sweep(now - kLate);
  recorder_->close_all(now);
  gather();
  Batch everyone;
  everyone.layouts = recorder_->layouts();
  const auto under_way = std::exchange(waiting_, {});
  std::vector<const Batch*> batches;
  for (const auto& batch : under_way) batches.push_back(&batch);
  std::size_t appended = 0;
  const auto job = [&] {
    return keeper_->close(everyone, batches, appended, to_millis(now), steady);
  };
  const auto report = co_await worker_.run(job);
  if (!report.done || appended < batches.size()) {
    std::size_t lost = 0;
    for (auto i = appended; i < batches.size(); ++i) lost += batches[i]->bytes();
    log_.error("the newest of the history is lost",
               field("why", report.done ? std::string("not written") : report.done.error().text),
               field("bytes", lost));
  }
}

void HistorySink::look(View&, ServiceView& me) const {
  using State = ServiceView::State;
  me.title = "History";
  me.type = "history";
  me.detail = fmt::format("{} points, {:.1f} MB", recorder_->points(),
                          static_cast<double>(report_.figures.used) / 1e6);
  if (failing_) {
    me.state = State::alarm;
    me.state_text = "Cannot write";
    if (!report_.done) me.error = report_.done.error().text;
    me.advice = {fmt::format("Is there room on the disk of {}?", context_.data_dir.string()),
                 "May this user write there?",
                 "Does the disk itself work? Look at the kernel's log"};
  } else if (report_.over_budget) {
    me.state = State::warning;
    me.state_text = "Thinned out";
    me.detail += ", write_budget of today is spent";
  } else {
    me.state = State::good;
    me.state_text = "Recording";
  }
}

void HistorySink::describe_status(JsonWriter& json) const {
  json.member("series", recorder_->points());
  json.member("values", stored_.value);
  json.member("rollups", rollups_.value);
  json.member("dropped", dropped_.value);
  json.member("late", recorder_->late());
  json.member("clock_steps", recorder_->clock_steps());
  json.member("waiting_bytes", waiting_bytes_ + recorder_->pending_bytes());
  json.member("file_bytes", report_.figures.used);
  json.member("written_today_bytes", report_.written_today);
  json.member("write_budget_bytes", config_.write_budget.bytes);
  json.key("oldest_raw");
  if (report_.figures.oldest_raw > 0)
    json.value(to_rfc3339(from_millis(report_.figures.oldest_raw)));
  else
    json.null();
  if (failing_ && !report_.done) json.member("error", report_.done.error().text);
}

}  // namespace lightship::history
