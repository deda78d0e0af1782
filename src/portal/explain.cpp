// Weighs the figures; the first cause that explains what is seen is the answer.
#include "portal/explain.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace lightship::portal {
namespace {

using State = DeviceView::State;

// A line is full from here on, and a device slower than its neighbours from there.
constexpr double kFull = 95, kTight = 80, kSlower = 3;

std::string percent(double value) { return fmt::format("{:.0f} %", value); }
std::string ms(Duration time) { return for_people(time); }

// What a device's requests need of the line, in percent of its time.
double share_of(const LineView& line, const std::string& device) {
  double share = 0;
  for (const auto& request : line.plan) {
    if (request.device != device || request.note.starts_with("not asked")) continue;
    const auto cost = line.character.count() > 0 ? request.wire + request.answer : request.wire;
    share += 100 * to_ms(cost) / to_ms(request.interval);
  }
  return share;
}

std::optional<Duration> median_of_others(const View& view, const DeviceView& device) {
  std::vector<Duration> times;
  for (const auto& other : view.devices) {
    if (other.service == device.service && other.name != device.name && other.p50)
      times.push_back(*other.p50);
  }
  if (times.empty()) return std::nullopt;
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return times[times.size() / 2];
}

void add_wire(Explanation& said, const LineView& line, const DeviceView& device) {
  Duration wire{};
  std::size_t requests = 0;
  for (const auto& request : line.plan) {
    if (request.device != device.name || request.note.starts_with("not asked")) continue;
    wire += request.wire;
    ++requests;
  }
  if (requests == 0) return;
  said.because.emplace_back("Requests of one round", counted(requests, "request"));
  if (line.character.count() > 0)
    said.because.emplace_back("Their time on the wire, by the line settings", ms(wire));
}

void add_line(Explanation& said, const LineView& line) {
  if (line.busy_percent)
    said.because.emplace_back("The line was busy in the last minute", percent(*line.busy_percent));
  said.because.emplace_back("The poll plan needs of the line", percent(line.planned_percent));
}

void add_counts(Explanation& said, const DeviceView& device) {
  if (device.success_percent)
    said.because.emplace_back("Polls that were answered",
                              fmt::format("{:.1f} %", *device.success_percent));
  if (device.achieved_percent && *device.achieved_percent < 99)
    said.because.emplace_back("Polls made of those configured", percent(*device.achieved_percent));
  if (device.overruns > 0)
    said.because.emplace_back("Poll times that went by", std::to_string(device.overruns));
  if (device.retries > 0)
    said.because.emplace_back("Requests sent again", std::to_string(device.retries));
  for (const auto& [kind, count] : device.errors)
    said.because.emplace_back("Errors: " + kind, std::to_string(count));
}

std::string ago(const View& view, Time at) {
  return at == Time{} ? std::string("never")
                      : for_people(std::max(view.at - at, Duration::zero())) + " ago";
}

void explain_silence(Explanation& said, const View& view, const DeviceView& device) {
  constexpr std::string_view kWhy[] = {
      "it does not answer",          "no byte comes back",   "what comes back is damaged",
      "it refuses what it is asked", "another unit answers", "another program has the port",
      "the line cannot be opened",
  };
  const auto why = kWhy[static_cast<std::size_t>(device.trouble)];
  said.answer = device.state == State::offline
                    ? fmt::format("{} is offline: {}.", device.label, why)
                    : fmt::format("{} answers, but not to everything: {}.", device.label, why);
  said.because.emplace_back("Last good answer", ago(view, device.last_good));
  if (!device.last_error.empty())
    said.because.emplace_back("Last error: " + device.last_error, ago(view, device.last_error_at));
  if (device.backoff_until && *device.backoff_until > view.at)
    said.because.emplace_back("Asked again in", for_people(*device.backoff_until - view.at));
  said.advice = device.advice;
}

}  // namespace

Explanation explain_device(const View& view, const DeviceView& device) {
  Explanation said;
  const auto* line = view.line(device.service);
  const auto others = median_of_others(view, device);
  if (device.state == State::starting) {
    said.answer = fmt::format("{} has not been asked yet.", device.label);
  } else if (device.state == State::offline || device.state == State::failing) {
    explain_silence(said, view, device);
  } else if (line != nullptr && line->planned_percent > kFull &&
             device.achieved_percent.value_or(100) < kTight) {
    said.answer = fmt::format("{} is polled less often than configured, because its line is full.",
                              device.label);
    said.advice = {"Lengthen poll_interval of the devices on this line, or read fewer points",
                   "Raise the baud rate, if all devices can"};
  } else if (device.achieved_percent.value_or(100) < kTight) {
    said.answer = fmt::format(
        "{} is polled less often than configured: a round takes longer than its interval of {}.",
        device.label, for_people(device.interval));
    said.advice = {"Lengthen poll_interval, or read fewer points",
                   "Look whether devices on the same line do not answer: each costs time"};
  } else if (device.p50 && others && *device.p50 > kSlower * *others) {
    said.answer =
        fmt::format("{} answers, but {:.0f} times slower than its neighbours on the line.",
                    device.label, to_ms(*device.p50) / to_ms(*others));
    said.advice = {"Look whether another master asks the same unit",
                   "Some devices answer long reads slowly: lower limits.max_registers"};
  } else if (device.state == State::slow) {
    said.answer = fmt::format("{} takes long to answer.", device.label);
    said.advice = {"Behind a radio or a gateway that may be normal: compare with its manual"};
  } else {
    said.answer = fmt::format("{} is well: it {}.", device.label, device.condition);
  }
  if (device.p50) said.because.emplace_back("Median answer of this device", ms(*device.p50));
  if (device.p95) said.because.emplace_back("19 of 20 answers come within", ms(*device.p95));
  if (others) said.because.emplace_back("Median of the others on this line", ms(*others));
  if (line != nullptr) add_wire(said, *line, device);
  add_counts(said, device);
  if (line != nullptr) add_line(said, *line);
  return said;
}

Explanation explain_line(const View& view, const LineView& line) {
  Explanation said;
  std::vector<std::pair<double, const DeviceView*>> users;
  std::vector<std::string> silent;
  for (const auto& device : view.devices) {
    if (device.service != line.name) continue;
    users.emplace_back(share_of(line, device.name), &device);
    if (device.state == State::offline) silent.push_back(device.label);
  }
  std::ranges::sort(users, std::ranges::greater{});
  const double busy = line.busy_percent.value_or(0);
  if (!line.open && !line.error.empty()) {
    said.answer = fmt::format("{} is not open: {}.", line.title, line.error);
    if (!users.empty()) said.advice = users.front().second->advice;
  } else if (line.planned_percent > kFull) {
    said.answer = fmt::format("{} is over-booked: its polls need {} of the line's time.",
                              line.title, percent(line.planned_percent));
    said.advice = {"Lengthen poll_interval of the largest users below", "Read fewer points",
                   "Raise the baud rate, if all devices can",
                   "Put some of the devices on a line of their own"};
  } else if (busy > kTight && !silent.empty()) {
    said.answer = fmt::format("{} is busy waiting for {} that {} not answer: {}.", line.title,
                              counted(silent.size(), "device"), silent.size() == 1 ? "does" : "do",
                              join(silent, ", "));
    said.advice = {"Repair the silent devices, or take them out of the configuration",
                   "A shorter timeout of the connection costs the others less"};
  } else if (busy > kTight || line.planned_percent > kTight) {
    said.answer = fmt::format("{} is nearly full.", line.title);
    said.advice = {"Leave room for what is to come: lengthen poll_interval where you can"};
  } else {
    said.answer = fmt::format("{} has room: {} of its time is used.", line.title,
                              percent(line.busy_percent.value_or(line.planned_percent)));
  }
  add_line(said, line);
  if (line.character.count() > 0)
    said.because.emplace_back("One character takes", for_people(line.character));
  if (line.wasted.count() > 0)
    said.because.emplace_back("Went to requests without an answer, since the start",
                              ms(line.wasted));
  if (line.requests > 0) {
    said.because.emplace_back("Requests without a good answer",
                              fmt::format("{} of {}", line.failed, line.requests));
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(users.size(), 5); ++i) {
    said.because.emplace_back("Planned for " + users[i].second->label,
                              fmt::format("{:.1f} %", users[i].first));
  }
  return said;
}

Explanation explain_point(const View& view, const PointsView& points, const PointView& point) {
  const auto* device = view.device(points.name);
  const bool good = point.heard && point.reason == Reason::none;
  const bool old = point.age > 3 * point.interval;
  Explanation said;
  if (!point.heard) {
    said.answer = fmt::format("{} has not been read yet.", point.name);
  } else if (good && !old) {
    said.answer = fmt::format("{} is fresh: it was read {} ago and is read every {}.", point.name,
                              for_people(point.age), for_people(point.interval));
  } else if (device != nullptr && device->state == State::offline) {
    said = explain_device(view, *device);
    said.answer = fmt::format("{} is old because {} does not answer.", point.name, device->label);
    return said;
  } else if (!good) {
    const auto why = to_string(point.reason, point.code);
    if (point.reason == Reason::exception)
      said.answer = fmt::format("The device refuses {} with exception {}.", point.name, point.code);
    else if (point.reason == Reason::not_available)
      said.answer = fmt::format("The device says that {} has no value now.", point.name);
    else if (point.reason == Reason::out_of_range)
      said.answer = fmt::format("{} was read and is outside its range.", point.name);
    else
      said.answer = fmt::format("{} was not answered: {}.", point.name, why);
    if (device != nullptr) said.advice = device->advice;
    if (point.reason == Reason::exception && said.advice.empty())
      said.advice = {"Compare address and function with the device's manual",
                     "Is meter_model, and its profile, the right one?"};
  } else {
    said.answer = fmt::format("{} is old: it was read {} ago, but should be every {}.", point.name,
                              for_people(point.age), for_people(point.interval));
  }
  if (point.heard) said.because.emplace_back("Age", for_people(point.age));
  said.because.emplace_back("Read every", for_people(point.interval));
  if (device == nullptr) return said;
  const auto of_device = explain_device(view, *device);
  std::ranges::copy(of_device.because, std::back_inserter(said.because));
  if (said.advice.empty() && !(good && !old)) said.advice = of_device.advice;
  return said;
}

}  // namespace lightship::portal
