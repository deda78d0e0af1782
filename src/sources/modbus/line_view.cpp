// A line and what it polls as the portal shows them.
#include <algorithm>

#include "base/text.h"
#include "sources/modbus/line_source.h"

namespace lightship::poller {
namespace {

using State = ServiceView::State;

// What a device is taken to need until it has answered; as in `lightship check`.
constexpr Duration kAssumedSerial = std::chrono::milliseconds(20);
constexpr Duration kAssumedNetwork = std::chrono::milliseconds(10);

void add_errors(ErrorCounts& to, const ErrorCounts& more) {
  for (const auto& [kind, count] : more) {
    const auto known = std::ranges::find(to, kind, &ErrorCounts::value_type::first);
    if (known == to.end())
      to.emplace_back(kind, count);
    else
      known->second += count;
  }
}

}  // namespace

void LineSource::look(View& view, ServiceView& me) const {
  LineView line;
  line.name = me.name;
  line.title = setup_.label.empty() ? setup_.id : setup_.label;
  line.line = setup_.line;
  line.open = conversation_ && conversation_->alive();
  line.busy_percent = busy_lately_.percent(context_.clock.mono());
  line.devices = devices_.size();
  line.character = setup_.character;
  line.silence = setup_.silence;
  line.error = last_error_.text;
  line.bytes_in = frames_->bytes(FrameWay::received);
  line.bytes_out = frames_->bytes(FrameWay::sent);
  std::size_t good = 0, offline = 0, starting = 0;
  const auto first = view.devices.size();
  for (const auto& device : devices_) {
    auto& shown = view.devices.emplace_back();
    device->look(shown, setup_.is_serial);
    shown.service = me.name;
    shown.connection_title = line.title;
    shown.line = setup_.line;
    if (!shown.backoff_until && shown.state == DeviceView::State::offline &&
        next_try_ > context_.clock.mono() && !line.open) {
      shown.backoff_until = context_.clock.now() +
                            std::chrono::duration_cast<Duration>(next_try_ - context_.clock.mono());
    }
    const auto& count = device->counters();
    line.requests += count.requests->value;
    line.retries += count.retries->value;
    line.wasted += Duration(count.wasted->value);
    for (const auto& [kind, times] : shown.errors) {
      if (kind != "noise byte" && kind != "foreign answer" && kind != "late answer")
        line.failed += times;
    }
    add_errors(line.errors, shown.errors);
    good += shown.state == DeviceView::State::ok ? 1 : 0;
    offline += shown.state == DeviceView::State::offline ? 1 : 0;
    starting += shown.state == DeviceView::State::starting ? 1 : 0;
  }
  me.title = line.title;
  me.type = "modbus";
  me.detail = counted(devices_.size(), "device");
  const auto all = devices_.size();
  if (all == 0) {
    me.state = State::stale;
    me.state_text = "No devices";
  } else if (!line.open && offline > 0) {
    me.state = State::alarm;
    me.state_text = "Not connected";
    me.error = line.error;
    me.advice = view.devices[first].advice;
  } else if (offline == all) {
    me.state = State::alarm;
    me.state_text = "Silent";
  } else if (offline > 0) {
    me.state = State::warning;
    me.state_text = fmt::format("{} of {} silent", offline, all);
  } else if (starting > 0) {
    me.state = State::busy;
    me.state_text = "Starting";
  } else if (good < all) {
    me.state = State::warning;
    me.state_text = fmt::format("{} of {} not well", all - good, all);
  } else {
    me.state = State::good;
    me.state_text = "Connected";
  }
  view.lines.push_back(std::move(line));
}

void LineSource::look_at_plans(View& view) const {
  const auto mine = std::ranges::find(view.lines, "modbus/" + setup_.id, &LineView::name);
  if (mine == view.lines.end()) return;
  for (const auto& device : devices_) {
    const auto measured = device->typical_answer();
    const auto answer =
        measured.count() > 0 ? measured : (setup_.is_serial ? kAssumedSerial : kAssumedNetwork);
    device->look_at_plan([&](const Block& block, LineView::Request request) {
      request.answer = answer;
      request.wire = answer;
      if (setup_.is_serial) {
        // ASCII sends two characters for each byte, and three more a frame.
        const auto sent = setup_.is_ascii ? 2 * characters(block) + 2 : characters(block);
        request.wire = std::chrono::duration_cast<Duration>(
            static_cast<std::int64_t>(sent) * setup_.character + 2 * setup_.silence);
      }
      if (block.hole < 0) {
        auto cost = request.wire + device->pause();
        if (setup_.is_serial) cost += answer;
        mine->planned_percent +=
            100 * to_ms(cost) / to_ms(request.interval) / std::max(1u, device->setup().in_flight);
      }
      mine->plan.push_back(std::move(request));
    });
  }
}

bool LineSource::look_at_points(PointsView& view) const {
  const auto* of = device(view.device);
  if (of == nullptr) return false;
  of->look_at_points(view);
  return true;
}

}  // namespace lightship::poller
