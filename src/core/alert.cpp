// The board of alerts.
#include "core/alert.h"

#include <algorithm>

namespace lightship {
namespace {

// A sink that was away for longer than this many changes learns the newest; what is raised now it
// can ask.
constexpr std::size_t kKept = 1000;

}  // namespace

std::string_view to_string(Alert::Severity severity) {
  switch (severity) {
    case Alert::Severity::info:
      return "info";
    case Alert::Severity::warning:
      return "warning";
    case Alert::Severity::critical:
      return "critical";
  }
  return "?";
}

std::string_view to_string(Alert::State state) {
  switch (state) {
    case Alert::State::raised:
      return "raised";
    case Alert::State::acknowledged:
      return "acknowledged";
    case Alert::State::cleared:
      return "cleared";
  }
  return "?";
}

void Alerts::raise(Alert alert) {
  if (closed_) return;
  alert.at = clock_.now();
  const auto known = raised_.find({alert.rule, alert.point});
  if (known == raised_.end()) {
    alert.state = Alert::State::raised;
    alert.since = alert.at;
    raised_[{alert.rule, alert.point}] = {told_ + 1, alert};
    tell(alert);
    return;
  }
  auto& raised = known->second.second;
  const bool worth_telling = raised.severity != alert.severity;
  remembered_.erase(known->first);
  alert.since = raised.since;
  alert.state = raised.state;
  raised = std::move(alert);
  if (worth_telling) tell(raised);
}

void Alerts::clear(std::string_view rule, std::string_view point) {
  const auto known = raised_.find({std::string(rule), std::string(point)});
  if (known == raised_.end() || closed_) return;
  auto alert = std::move(known->second.second);
  remembered_.erase(known->first);
  raised_.erase(known);
  alert.state = Alert::State::cleared;
  alert.at = clock_.now();
  tell(alert);
}

bool Alerts::acknowledge(std::string_view rule, std::string_view point) {
  const auto known = raised_.find({std::string(rule), std::string(point)});
  if (known == raised_.end() || known->second.second.state != Alert::State::raised) return false;
  known->second.second.state = Alert::State::acknowledged;
  known->second.second.at = clock_.now();
  tell(known->second.second);
  return true;
}

std::vector<Alert> Alerts::active() const {
  std::vector<std::pair<std::uint64_t, const Alert*>> order;
  for (const auto& [key, alert] : raised_) order.emplace_back(alert.first, &alert.second);
  std::ranges::sort(order);
  std::vector<Alert> found;
  for (const auto& [number, alert] : order) found.push_back(*alert);
  return found;
}

std::pair<std::uint64_t, std::vector<Alert>> Alerts::changes_since(std::uint64_t last) const {
  const auto missed = std::min<std::uint64_t>(told_ - std::min(last, told_), changes_.size());
  return {told_, {changes_.end() - static_cast<std::ptrdiff_t>(missed), changes_.end()}};
}

void Alerts::remember(Alert alert, bool told) {
  const Key key{alert.rule, alert.point};
  if (raised_.contains(key)) return;  // raised meanwhile
  if (alert.state != Alert::State::cleared) {
    raised_[key] = {told_ + 1, alert};
    remembered_.insert(key);
  }
  if (!told) tell(alert);
}

std::size_t Alerts::clear_forgotten() {
  const auto forgotten = std::exchange(remembered_, {});
  for (const auto& [rule, point] : forgotten) clear(rule, point);
  return forgotten.size();
}

bool Alerts::pass_on(std::uint64_t& mark, const std::function<bool(const Alert&)>& pass) const {
  const auto [last, changes] = changes_since(mark);
  mark = last - changes.size();
  for (const auto& change : changes) {
    if (!pass(change)) return false;
    ++mark;
  }
  return true;
}

Alerts::Following Alerts::follow(std::shared_ptr<const std::uint64_t> mark) {
  return {this, marks_.insert(marks_.end(), std::move(mark))};
}

std::uint64_t Alerts::passed() const {
  auto least = told_;
  for (const auto& mark : marks_) least = std::min(least, *mark);
  return least;
}

Alerts::Listening Alerts::listen(std::function<void()> changed) {
  listeners_[++last_listener_] = std::move(changed);
  return {this, last_listener_};
}

void Alerts::tell(const Alert& alert) {
  ++told_;
  changes_.push_back(alert);
  if (changes_.size() > kKept) changes_.pop_front();
  // A listener may leave while it is told.
  std::vector<std::uint64_t> who;
  for (const auto& [id, changed] : listeners_) who.push_back(id);
  for (const auto id : who) {
    const auto known = listeners_.find(id);
    if (known != listeners_.end()) known->second();
  }
}

}  // namespace lightship
