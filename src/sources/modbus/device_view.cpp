// A device as the portal shows it.
#include <cerrno>

#include "sources/modbus/device.h"
#include "sources/modbus/trouble.h"

namespace lightship::poller {

using namespace std::chrono_literals;

namespace {

// A device that takes longer than this, or is polled less often than this, is called slow.
constexpr Duration kSlowAnswer = 500ms;
constexpr double kSlowRate = 0.8;

}  // namespace

// It answers, but the newest poll or the one before was not answered in all.
bool Device::is_failing() const {
  if (!online_ || last_error_at_ == Time{}) return walk_failed_.has_value() && online_;
  const auto interval = groups_.empty() ? setup_.info.poll_interval : groups_.front().of.interval;
  return last_error_at_ + 2 * interval > context_.clock.now() || walk_failed_;
}

Trouble Device::trouble() const {
  if (online_ && !is_failing()) return Trouble::none;
  if (!polled_ && last_error_.text.empty()) return Trouble::none;
  if (!reachable_) {
    const bool taken = last_error_.detail == EBUSY || last_error_.detail == EWOULDBLOCK;
    return taken ? Trouble::busy_port : Trouble::no_connection;
  }
  switch (last_error_.code) {
    case Errc::refused:
      return Trouble::exception;
    case Errc::crc:
    case Errc::malformed:
      return Trouble::bad_crc;
    case Errc::timeout:
      if (heard_.crc > 0) return Trouble::bad_crc;
      if (heard_.unit > 0) return Trouble::wrong_unit;
      return heard_.noise_bytes > 0 ? Trouble::bad_crc : Trouble::no_bytes;
    default:
      return online_ ? Trouble::exception : Trouble::no_connection;
  }
}

void Device::look(DeviceView& view, bool serial) const {
  using State = DeviceView::State;
  const auto now = context_.clock.mono();
  view.id = id_;
  view.name = setup_.info.id();
  view.connection = setup_.info.connection;
  view.label = setup_.info.label.empty() ? setup_.info.client : setup_.info.label;
  view.model = setup_.model_name.empty() ? setup_.info.model : setup_.model_name;
  view.profile = setup_.profile;
  view.unit = setup_.info.unit;
  view.trouble = trouble();
  const bool refused = view.trouble == Trouble::exception && last_error_.code == Errc::refused;
  view.advice =
      advice_for(view.trouble, serial, refused ? last_error_.detail : 0, setup_.info.unit);
  view.condition = condition();
  view.interval = setup_.info.poll_interval;
  view.timeout = patience(0);
  const double rate = achieved();
  if (!polled_ && reachable_)
    view.state = State::starting;
  else if (!online_)
    view.state = State::offline;
  else if (view.trouble != Trouble::none)
    view.state = State::failing;
  else if (answer_time_.typical() > kSlowAnswer || (rate > 0 && rate < kSlowRate))
    view.state = State::slow;
  else
    view.state = State::ok;
  view.last_good = last_answer_at_;
  view.last_error = last_error_.text;
  view.last_error_at = last_error_at_;
  view.p50 = latency_.quantile(0.5);
  view.p95 = latency_.quantile(0.95);
  view.success_percent = record_.success(now);
  if (rate > 0) view.achieved_percent = std::min(100.0, 100 * rate);
  view.polls = count_.polls->value;
  view.failed = count_.failed->value;
  view.overruns = count_.overruns->value;
  view.retries = count_.retries->value;
  count_.errors(view.errors);
  if (is_silent() && !probing_ && reachable_) {
    const auto due = probe_due();
    if (due > now && due != MonoTime::max())
      view.backoff_until = context_.clock.now() + std::chrono::duration_cast<Duration>(due - now);
  }
  view.http = setup_.info.http.enabled;
  view.mqtt = setup_.info.mqtt.enabled;
  view.gateway = setup_.info.exposed;
  view.points = setup_.points.size();
  view.availability = record_.minutes(now);
}

void Device::look_at_points(PointsView& view) const {
  for (std::size_t at = 0; at < setup_.points.size() && at < view.points.size(); ++at) {
    const auto& point = setup_.points[at];
    auto& shown = view.points[at];
    if (shown.id != point_ids_[at]) continue;
    shown.type = modbus::name(point.spec.type);
    shown.confidence = kConfidences[std::min<std::size_t>(point.confidence, 4)];
    shown.interval = point.interval.count() > 0 ? point.interval : setup_.info.poll_interval;
    if (setup_.allow_write && point.rule().writable.value_or(false))
      shown.writable = {point.rule().least, point.rule().most, point.rule().step};
  }
}

void Device::look_at_plan(const std::function<void(const Block&, LineView::Request)>& take) const {
  for (const auto& group : groups_) {
    for (const auto& block : *group.of.blocks) {
      LineView::Request request;
      request.device = setup_.info.id();
      request.function = static_cast<int>(block.space);
      request.first = block.first;
      request.count = block.count;
      request.interval = group.of.interval;
      for (const auto place : block.points)
        request.points.push_back(setup_.points[group.of.points[place]].name);
      if (block.hole >= 0) {
        const auto& hole = memory_.holes()[static_cast<std::size_t>(block.hole)];
        request.note = hole.code > 0
                           ? fmt::format(
                                 "not asked: the device refused it (exception {}); tried "
                                 "again now and then",
                                 hole.code)
                           : "not asked: the device did not answer it; tried again now and then";
      } else if (group.of.alarm) {
        request.note = "alarms: goes before other polls";
      } else if (block.gaps) {
        request.note = "reads over a gap: cheaper than a further request";
      }
      take(block, std::move(request));
    }
  }
}

}  // namespace lightship::poller
