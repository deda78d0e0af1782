// The running parts as the portal shows them.
#include "app/parts.h"

#include "core/points_view.h"

namespace lightship::app {
namespace {

constexpr Duration kForgotten = std::chrono::minutes(10);

}  // namespace

void Parts::look(View& view) const {
  if (program_) program_(view);
  each([&](const Running& part) {
    const auto& state = part.state;
    const auto life = life_of(part);
    ServiceView me;
    me.name = part.part.name;
    me.is_source = part.part.kind == Part::Kind::source;
    me.title = me.type = me.name.substr(0, me.name.find('/'));
    me.life = to_string(life);
    me.since = state.since;
    me.restarts = state.restarts;
    me.state_text = "Running";
    part.runner->look(view, me);
    if (life == PartState::Life::pausing) {
      me.state = ServiceView::State::alarm;
      me.state_text = "Retrying";
      me.error = state.last_error;
    } else if (life == PartState::Life::stopping || life == PartState::Life::stopped) {
      me.state = ServiceView::State::stale;
      me.state_text = life == PartState::Life::stopped ? "Stopped" : "Stopping";
    } else if (me.error.empty() && !state.last_error.empty() &&
               context_.clock.now() - state.since < kForgotten) {
      // It runs again; why it had stopped is still news.
      me.error = state.last_error;
    }
    view.services.push_back(std::move(me));
  });
}

void Parts::look_at_plans(View& view) const {
  each([&](const Running& part) { part.runner->look_at_plans(view); });
}

std::optional<PointsView> Parts::look_at_points(DeviceId device) const {
  if (index(device) >= context_.catalog.device_count() || context_.catalog.retired(device))
    return std::nullopt;
  auto view = points_of(context_, device);
  for (const auto& part : running_) {
    if (part->runner->look_at_points(view)) break;
  }
  return view;
}

bool Parts::poll_now(DeviceId device) {
  for (const auto& part : running_) {
    if (part->runner->poll_now(device)) return true;
  }
  return false;
}

}  // namespace lightship::app
