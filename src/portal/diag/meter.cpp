// Looks, rates, rows.
#include "portal/diag/meter.h"

#include <unistd.h>
#include <boost/json/array.hpp>

#include "portal/diag/storage.h"

namespace lightship::portal {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kLooks = 6;
constexpr Duration kFieldPatience = 500ms;

json::value number_or_null(const std::optional<double>& number) {
  if (!number || !std::isfinite(*number)) return nullptr;
  return *number;
}

// 3.14159 -> 3.14; a figure for people.
double rounded(double number, double per = 100) { return std::round(number * per) / per; }

double seconds_between(MonoTime from, MonoTime to) {
  return std::chrono::duration<double>(to - from).count();
}

double ticks_per_second() {
  static const long ticks = ::sysconf(_SC_CLK_TCK);
  return ticks > 0 ? static_cast<double>(ticks) : 100;
}

SlowFigures look_slowly(const SysTree& tree, const std::filesystem::path& data_dir) {
  SlowFigures slow;
  slow.temperature = main_temperature(temperatures(tree));
  slow.disk_path = data_dir.empty() ? "/" : data_dir.string();
  if (const auto space = space_of(slow.disk_path)) {
    slow.disk = space->bytes;
    slow.disk_free = space->free_bytes;
  }
  return slow;
}

}  // namespace

FieldCounts count_field(Context& context) {
  FieldCounts counts;
  const auto& metrics = context.metrics;
  counts.polls = metrics.total("modbus_polls_total");
  counts.failed = metrics.total("modbus_polls_failed_total");
  counts.points = context.bus.readings();
  counts.published =
      metrics.total("mqtt_acknowledged_total") + metrics.total("http_acknowledged_total");
  for (const auto waiting : metrics.values("outbox_messages")) counts.waiting += waiting;
  const auto now = std::chrono::duration<double>(context.clock.now().time_since_epoch()).count();
  for (const auto oldest : metrics.values("outbox_oldest_seconds")) {
    if (std::isnan(oldest)) continue;
    counts.oldest_waiting_s = std::max(counts.oldest_waiting_s.value_or(0), now - oldest);
  }
  const auto mono = context.clock.mono();
  for (const auto device : context.catalog.devices()) {
    const auto arrived = context.cache.device(device).arrived;
    if (arrived == MonoTime::min()) continue;
    const auto age = seconds_between(arrived, mono);
    counts.last_poll_s = std::min(counts.last_poll_s.value_or(age), age);
  }
  return counts;
}

Meter::Meter(Clock& clock, Field& field, Worker& disk, std::filesystem::path data_dir, SysTree tree)
    : clock_(clock),
      field_(field),
      disk_(disk),
      data_dir_(std::move(data_dir)),
      tree_(std::move(tree)) {
  slow_.disk_path = data_dir_.empty() ? "/" : data_dir_.string();
}

void Meter::look(const std::optional<FieldCounts>& counts) {
  Look look{clock_.mono(), system_figures(tree_), {}, counts};
  look.process = process_figures(tree_, look.system.uptime_s, ticks_per_second());
  looks_.push_back(std::move(look));
  if (looks_.size() > kLooks) looks_.pop_front();
  remember(looks_.back().at);
}

void Meter::remember(MonoTime now) {
  if (!row_due_) row_due_ = now + MetricsRing::kStep;
  if (now < *row_due_) return;
  const auto missing = static_cast<std::size_t>((now - *row_due_) / MetricsRing::kStep);
  ring_.add_gap(missing);
  *row_due_ += MetricsRing::kStep * static_cast<int>(missing + 1);
  const auto& newest = looks_.back();
  const auto rate = rates();
  MetricsRing::Row row = MetricsRing::nothing();
  row[0] = rate.cpu;
  row[1] = static_cast<double>(newest.system.memory_used);
  if (slow_.temperature) row[2] = *slow_.temperature;
  if (slow_.disk > 0) row[3] = static_cast<double>(slow_.disk_free);
  if (newest.counts && rate.field) {
    for (std::size_t i = 0; i < rate.field->size(); ++i) row[4 + i] = (*rate.field)[i];
    row[9] = newest.counts->waiting;
  }
  ring_.add(row);
}

Meter::Rates Meter::rates() const {
  Rates rates;
  if (looks_.size() < 2) return rates;
  const auto &first = looks_.front(), &last = looks_.back();
  rates.cpu = busy_percent(first.system, last.system);
  const auto passed = seconds_between(first.at, last.at);
  if (passed > 0 && last.process.ticks >= first.process.ticks) {
    rates.process_cpu = 100 * static_cast<double>(last.process.ticks - first.process.ticks) /
                        ticks_per_second() / passed;
  }
  // Between the oldest and the newest look at which the field loop answered.
  const Look *from = nullptr, *to = nullptr;
  for (const auto& look : looks_) {
    if (!look.counts) continue;
    if (from == nullptr) from = &look;
    to = &look;
  }
  if (from == to) return rates;
  const auto between = seconds_between(from->at, to->at);
  const auto of = [&](std::uint64_t FieldCounts::* what) {
    const auto before = (*from->counts).*what, now = (*to->counts).*what;
    return now < before ? 0.0 : rounded(static_cast<double>(now - before) / between);
  };
  rates.field = {of(&FieldCounts::polls), of(&FieldCounts::failed), of(&FieldCounts::points),
                 of(&FieldCounts::published), of(&FieldCounts::packets)};
  return rates;
}

json::object Meter::now() const {
  const Look none;
  const auto& newest = looks_.empty() ? none : looks_.back();
  const FieldCounts no_counts;
  const auto known = std::ranges::find_if(looks_.rbegin(), looks_.rend(),
                                          [](const Look& look) { return look.counts.has_value(); });
  const auto& counts = known == looks_.rend() ? no_counts : *known->counts;
  const auto rate = rates();
  const auto field = rate.field.value_or(std::array<double, 5>{});
  const auto& system = newest.system;
  const auto& process = newest.process;
  return {
      {"time", to_rfc3339(clock_.now())},
      {"system",
       {{"cpu_percent", rounded(rate.cpu, 10)},
        {"cores", system.cores},
        {"load", json::array{system.load[0], system.load[1], system.load[2]}},
        {"memory_bytes", system.memory},
        {"memory_used_bytes", system.memory_used},
        {"temperature_c", number_or_null(slow_.temperature)},
        {"disk_path", slow_.disk_path},
        {"disk_bytes", slow_.disk},
        {"disk_free_bytes", slow_.disk_free},
        {"uptime_s", rounded(system.uptime_s, 1)}}},
      {"process",
       {{"cpu_percent", rounded(rate.process_cpu, 10)},
        {"resident_bytes", process.resident},
        {"anonymous_bytes", process.anonymous},
        {"threads", process.threads},
        {"uptime_s", rounded(process.uptime_s, 1)}}},
      {"rates",
       {{"polls", field[0]},
        {"failed_polls", field[1]},
        {"points", field[2]},
        {"published", field[3]},
        {"packets", field[4]}}},
      {"waiting", counts.waiting},
      {"oldest_waiting_s", counts.oldest_waiting_s
                               ? json::value(rounded(*counts.oldest_waiting_s, 10))
                               : json::value(nullptr)},
      {"last_poll_s",
       counts.last_poll_s ? json::value(rounded(*counts.last_poll_s, 10)) : json::value(nullptr)},
  };
}

json::object Meter::with_past(std::chrono::minutes back) const {
  auto answer = now();
  const auto past = ring_.past(back);
  json::array columns, rows;
  for (const auto name : MetricsRing::kColumns) columns.emplace_back(name);
  rows.reserve(past.rows.size());
  for (const auto& row : past.rows) {
    json::array cells;
    cells.reserve(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (std::isnan(row[i]))
        cells.emplace_back(nullptr);
      else if (i == 1 || i == 3)
        cells.emplace_back(static_cast<std::uint64_t>(row[i]));
      else
        cells.emplace_back(rounded(row[i]));
    }
    rows.emplace_back(std::move(cells));
  }
  const auto from = clock_.now() - past.step * static_cast<std::int64_t>(past.rows.size());
  answer["history"] = {{"step_s", past.step.count()},
                       {"from", to_rfc3339(from)},
                       {"columns", std::move(columns)},
                       {"rows", std::move(rows)}};
  return answer;
}

Task<void> Meter::ask_slow() {
  auto due = clock_.mono();
  for (;;) {
    auto asking =
        disk_.run([tree = tree_, data_dir = data_dir_] { return look_slowly(tree, data_dir); });
    note(co_await std::move(asking));
    due = std::max(due + MetricsRing::kStep, clock_.mono());
    co_await clock_.sleep_until(due);
  }
}

namespace {
Task<void> look_on(Meter& meter, Field& field, Clock& clock) {
  auto due = clock.mono();
  for (;;) {
    std::function<FieldCounts(Context&)> count = count_field;
    auto counts = co_await field.ask(std::move(count), kFieldPatience);
    meter.look(counts);
    due = std::max(due + Meter::kEvery, clock.mono());
    co_await clock.sleep_until(due);
  }
}
}  // namespace

Task<void> Meter::run() {
  TaskGroup group(co_await asio::this_coro::executor);
  group.spawn(ask_slow());
  group.spawn(look_on(*this, field_, clock_));
  co_await group.run();
}

}  // namespace lightship::portal
