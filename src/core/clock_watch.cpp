// Compares the clocks.
#include "core/clock_watch.h"

#include <algorithm>
#include <charconv>

#include "base/json_writer.h"

namespace lightship {

using namespace std::chrono_literals;

namespace {

// Between two looks a second apart, NTP slews by half a millisecond and a loaded machine reads the
// clocks some milliseconds apart.
constexpr Duration kLeastStep = 500ms;
constexpr Duration kLeastSuspend = 2s;
// No clock that is right shows an earlier time than that of this code.
constexpr Time kReleased = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

std::optional<Time> parse(std::string_view text) {
  // 2026-01-04T12:00:00
  int parts[6]{};
  const std::size_t starts[6] = {0, 5, 8, 11, 14, 17}, sizes[6] = {4, 2, 2, 2, 2, 2};
  for (std::size_t i = 0; i < 6; ++i) {
    if (text.size() < starts[i] + sizes[i]) return std::nullopt;
    const auto* first = text.data() + starts[i];
    const auto read = std::from_chars(first, first + sizes[i], parts[i]);
    if (read.ec != std::errc() || read.ptr != first + sizes[i]) return std::nullopt;
  }
  const std::chrono::year_month_day day{std::chrono::year(parts[0]),
                                        std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!day.ok()) return std::nullopt;
  return Time(std::chrono::sys_days(day)) + std::chrono::hours(parts[3]) +
         std::chrono::minutes(parts[4]) + std::chrono::seconds(parts[5]);
}

}  // namespace

ClockWatch::ClockWatch(Clock& clock, Time not_before)
    : clock_(clock),
      not_before_(not_before),
      offset_(offset()),
      suspended_(clock.suspended()),
      plausible_(clock.now() >= not_before) {}

Duration ClockWatch::offset() const {
  const auto steady =
      std::chrono::duration_cast<Duration>(clock_.mono().time_since_epoch()) + clock_.suspended();
  return clock_.now().time_since_epoch() - steady;
}

ClockWatch::News ClockWatch::look() {
  News news;
  const auto suspended = clock_.suspended();
  if (suspended - suspended_ >= kLeastSuspend) {
    news.suspended = suspended - suspended_;
    ++suspends_;
  }
  suspended_ = suspended;

  const auto offset_now = offset();
  const auto moved = offset_now - offset_;
  offset_ = offset_now;
  if (std::chrono::abs(moved) >= kLeastStep) {
    news.step = last_step_ = moved;
    news.after = last_step_at_ = clock_.now();
    news.before = news.after - moved;
    ++steps_;
  }

  const bool plausible = clock_.now() >= not_before_;
  if (plausible != plausible_) news.plausible = plausible_ = plausible;

  if (news.step.count() == 0 && news.suspended.count() == 0 && !news.plausible) return news;
  std::erase_if(listeners_, [](const auto& listener) { return listener.expired(); });
  const auto told = listeners_;
  for (const auto& listener : told) {
    if (const auto here = listener.lock()) (*here)(news);
  }
  return news;
}

std::shared_ptr<void> ClockWatch::listen(Listener listener) {
  auto token = std::make_shared<Listener>(std::move(listener));
  listeners_.push_back(token);
  return token;
}

Time newest_known_time(const std::string& kept_json) {
  constexpr std::string_view kKey = "\"time\":\"";
  const auto at = kept_json.find(kKey);
  if (at == std::string::npos) return kReleased;
  const auto kept = parse(std::string_view(kept_json).substr(at + kKey.size()));
  return kept ? std::max(*kept, kReleased) : kReleased;
}

std::string keep_time(Time now) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("time", to_rfc3339(now)).end_object();
  return text + "\n";
}

}  // namespace lightship
