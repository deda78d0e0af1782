// Starts and stops parts.
#include "app/parts.h"

#include <algorithm>

#include "base/text.h"

namespace lightship::app {

using namespace std::chrono_literals;

void Parts::begin(Part part) {
  auto running = std::make_unique<Running>(context_, std::move(part));
  running->runner = running->part.make(context_);
  running->group.spawn(
      supervise(context_, *running->runner, running->state, {.first = 1s, .limit = 60s}));
  running_.push_back(std::move(running));
}

void Parts::start(std::vector<Part> parts) {
  // Sources first: they enter their devices in the catalog, which the sinks read when they are
  // made.
  std::ranges::stable_sort(parts, {},
                           [](const Part& part) { return part.kind != Part::Kind::source; });
  for (auto& part : parts) begin(std::move(part));
}

// `which` is in the list of what ends until it is over, however that comes.
Task<void> Parts::end(List leaving, Duration drain) {
  struct Over {
    List& all;
    std::vector<Running*> which{};
    ~Over() {
      std::erase_if(all, [this](const auto& one) {
        return std::ranges::find(which, one.get()) != which.end();
      });
    }
  } over{ending_};
  for (const auto& part : leaving) {
    part->ending = true;
    over.which.push_back(part.get());
  }
  ending_.splice(ending_.end(), leaving);
  const auto which = over.which;
  for (const auto& part : which) {
    if (part->part.kind == Part::Kind::source) part->group.cancel();
  }
  for (const auto& part : which) {
    if (part->part.kind == Part::Kind::source) co_await part->group.join();
  }
  TaskGroup draining(context_.executor);
  for (const auto& part : which) {
    if (part->part.kind == Part::Kind::sink) draining.spawn(part->runner->drain(drain));
  }
  co_await draining.join();
  for (const auto& part : which) part->group.cancel();
  for (const auto& part : which) co_await part->group.join();
}

Task<std::vector<std::string>> Parts::change_to(std::vector<Part> parts, Duration drain) {
  List gone;
  std::vector<std::string> touched;
  for (auto at = running_.begin(); at != running_.end();) {
    const auto current = at++;
    const auto wanted = std::ranges::find(parts, (*current)->part.name, &Part::name);
    if (wanted != parts.end() && wanted->fingerprint == (*current)->part.fingerprint) {
      parts.erase(wanted);
      continue;
    }
    touched.push_back((*current)->part.name);
    if (wanted == parts.end()) {
      (*current)->gone = true;
      (*current)->runner->removed();
    }
    gone.splice(gone.end(), running_, current);
  }
  co_await end(std::move(gone), drain);
  for (const auto& part : parts) {
    if (std::ranges::find(touched, part.name) == touched.end()) touched.push_back(part.name);
  }
  start(std::move(parts));
  co_return touched;
}

Task<Result<void>> Parts::restart(std::string name, Duration drain) {
  const auto which = std::ranges::find_if(
      running_, [&](const auto& running) { return running->part.name == name; });
  if (which == running_.end()) {
    if (ends(name)) co_return fail(Errc::refused, "'{}' is being stopped already", name);
    co_return fail(Errc::invalid, "no part is called '{}'; there are: {}", name,
                   names().empty() ? std::string("none") : join(names(), ", "));
  }
  auto part = (*which)->part;
  List gone;
  gone.splice(gone.end(), running_, which);
  co_await end(std::move(gone), drain);
  begin(std::move(part));
  co_return Result<void>();
}

bool Parts::ends(std::string_view name) const {
  return std::ranges::any_of(ending_, [&](const auto& one) { return one->part.name == name; });
}

void Parts::each(const std::function<void(const Running&)>& visit) const {
  for (const auto& part : running_) visit(*part);
  for (const auto& part : ending_) {
    if (!part->gone) visit(*part);
  }
}

std::vector<std::string> Parts::names() const {
  std::vector<std::string> all;
  each([&](const Running& part) { all.push_back(part.part.name); });
  return all;
}

Task<void> Parts::stop_all(Duration drain) {
  co_await end(std::move(running_), drain);
  running_.clear();
}

void Parts::nudge() {
  for (const auto& part : running_) part->runner->nudge();
}

const PartState* Parts::state(std::string_view name) const {
  for (const auto& part : running_) {
    if (part->part.name == name) return &part->state;
  }
  return nullptr;
}

void Parts::describe_status(JsonWriter& json) const {
  json.begin_array();
  each([&](const Running& part) {
    json.begin_object();
    json.member("name", part.part.name);
    json.member("kind", part.part.kind == Part::Kind::source ? "source" : "sink");
    json.member("life", to_string(life_of(part)));
    json.member("since", to_rfc3339(part.state.since));
    json.member("restarts", part.state.restarts);
    if (!part.state.last_error.empty()) json.member("last_error", part.state.last_error);
    part.runner->describe_status(json);
    json.end_object();
  });
  json.end_array();
}

}  // namespace lightship::app
