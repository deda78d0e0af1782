// Structs to JSON.
#include "portal/view_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <boost/json/array.hpp>

#include "base/hex.h"
#include "base/text.h"
#include "portal/live/json_text.h"
#include "portal/overview.h"

namespace lightship::portal {

namespace json = boost::json;

namespace {

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

template <class T>
json::value or_null(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

// A figure for people needs no more digits.
double rounded(double number, int decimals) {
  const double factor = std::pow(10.0, decimals);
  return std::round(number * factor) / factor;
}
json::value percent(const std::optional<double>& value) {
  return value ? json::value(rounded(*value, 2)) : json::value(nullptr);
}
json::value ms_or_null(const std::optional<Duration>& value) {
  return value ? json::value(rounded(to_ms(*value), 1)) : json::value(nullptr);
}
double seconds(Duration duration) { return rounded(to_ms(duration) / 1000, 3); }

json::array strings(const std::vector<std::string>& from) {
  json::array all;
  all.reserve(from.size());
  for (const auto& one : from) all.emplace_back(one);
  return all;
}

json::object counts(const ErrorCounts& errors) {
  json::object all;
  for (const auto& [kind, count] : errors) all[kind] = count;
  return all;
}

}  // namespace

std::string json_text(const json::value& value) {
  std::string text;
  append_json(text, value);
  return text;
}

json::value time_json(Time time) {
  return time == Time{} ? json::value(nullptr) : json::value(to_rfc3339(time));
}

// A Real is given with the digits that it wants to be written with.
json::value value_json(const Value& value) {
  if (const auto* truth = std::get_if<bool>(&value)) return *truth;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return json::value(*text);
  const auto* real = std::get_if<Real>(&value);
  if (real == nullptr || !std::isfinite(real->value)) return nullptr;
  std::string text;
  append_number(text, *real);
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Words of a point's name that are written in capitals.
constexpr std::string_view kInitials[] = {"ll", "ln", "thd", "pf", "ct", "pt", "dc", "ac", "id"};

std::string title_of(std::string_view point) {
  std::string title;
  const auto starts_initials = [&](std::size_t at) {
    const auto word = point.substr(at, point.find('_', at) - at);
    return std::ranges::find(kInitials, word) != std::end(kInitials);
  };
  bool initials = false;
  for (std::size_t at = 0; at < point.size(); ++at) {
    const char c = point[at];
    if (c == '_') {
      title += ' ';
      continue;
    }
    // The first letter is a capital, and that of a code: "L1".
    const bool starts = title.empty() || title.back() == ' ';
    const bool code =
        starts && at + 1 < point.size() && point[at + 1] >= '0' && point[at + 1] <= '9';
    if (starts) initials = starts_initials(at);
    const bool capital = (title.empty() || code || initials) && c >= 'a' && c <= 'z';
    title += capital ? static_cast<char>(c - 32) : c;
  }
  return title;
}

json::object device_json(const DeviceView& device) {
  json::object out;
  out["id"] = device.name;
  out["connection"] = device.connection;
  out["connection_title"] = device.connection_title;
  out["line"] = device.line;
  out["name"] = device.label;
  out["model"] = text_or_null(device.model);
  out["profile"] = text_or_null(device.profile);
  out["unit_id"] = or_null(device.unit);
  out["state"] = to_string(device.state);
  out["kind"] = device.trouble == Trouble::none ? json::value(nullptr)
                                                : json::value(to_string(device.trouble));
  out["condition"] = device.condition;
  out["advice"] = strings(device.advice);
  out["last_good"] = time_json(device.last_good);
  out["last_error"] = text_or_null(device.last_error);
  out["last_error_at"] = time_json(device.last_error_at);
  out["latency_p50_ms"] = ms_or_null(device.p50);
  out["latency_p95_ms"] = ms_or_null(device.p95);
  out["success_percent"] = percent(device.success_percent);
  out["achieved_percent"] = percent(device.achieved_percent);
  out["interval_s"] = seconds(device.interval);
  out["polls"] = device.polls;
  out["failed"] = device.failed;
  out["overruns"] = device.overruns;
  out["errors"] = counts(device.errors);
  out["backoff_until"] = device.backoff_until ? time_json(*device.backoff_until) : nullptr;
  json::array published;
  if (device.http) published.emplace_back("HTTP");
  if (device.mqtt) published.emplace_back("MQTT");
  if (device.gateway) published.emplace_back("TCP");
  out["published_by"] = std::move(published);
  out["points"] = device.points;
  json::array minutes;
  minutes.reserve(device.availability.size());
  for (const auto part : device.availability) {
    if (part == DeviceView::kNoPolls)
      minutes.emplace_back(nullptr);
    else
      minutes.emplace_back(part / 100.0);
  }
  out["availability"] = std::move(minutes);
  return out;
}

json::object point_json(const PointView& point) {
  const bool good = point.heard && point.reason == Reason::none;
  // What is three times as old as it should be is not what is true now.
  const bool old = good && point.interval.count() > 0 && point.age > 3 * point.interval &&
                   point.age > std::chrono::seconds(3);
  json::object out;
  out["name"] = point.name;
  out["title"] = title_of(point.name);
  const auto& at = point.registers;
  out["function"] = at ? json::value(static_cast<int>(at->space)) : json::value(nullptr);
  out["address"] = at ? json::value(at->first) : json::value(nullptr);
  out["registers"] = at ? json::value(at->count) : json::value(nullptr);
  out["type"] = point.type;
  out["value"] = good ? value_json(point.value) : json::value(nullptr);
  out["unit"] = point.unit;
  out["raw"] = point.raw.empty() ? json::value(nullptr) : json::value(to_hex(point.raw));
  out["quality"] = !good ? "bad" : old ? "stale" : "good";
  if (!point.heard)
    out["reason"] = "not_read_yet";
  else if (!good)
    out["reason"] = to_string(point.reason, point.code);
  else
    out["reason"] = old ? json::value("stale") : json::value(nullptr);
  out["age_s"] = point.heard ? json::value(seconds(point.age)) : json::value(nullptr);
  out["measured"] = point.heard ? time_json(point.measured) : json::value(nullptr);
  out["confidence"] = text_or_null(point.confidence);
  if (point.writable) {
    json::object writable;
    writable["minimum"] = or_null(point.writable->least);
    writable["maximum"] = or_null(point.writable->most);
    writable["step"] = or_null(point.writable->step);
    out["writable"] = std::move(writable);
  } else {
    out["writable"] = nullptr;
  }
  json::array recent;
  recent.reserve(point.recent.size());
  for (const double value : point.recent) {
    if (std::isfinite(value))
      recent.emplace_back(value);
    else
      recent.emplace_back(nullptr);
  }
  out["recent"] = std::move(recent);
  return out;
}

json::object service_json(const ServiceView& service) {
  json::object out;
  out["name"] = service.name;
  out["kind"] = service.is_source ? "source" : "sink";
  out["title"] = service.title;
  out["type"] = service.type;
  out["life"] = service.life;
  out["state"] = to_string(service.state);
  out["state_text"] = service.state_text;
  out["detail"] = service.detail;
  out["since"] = to_rfc3339(service.since);
  out["restarts"] = service.restarts;
  out["error"] = text_or_null(service.error);
  json::array chain;
  for (const auto& step : service.chain) {
    constexpr std::string_view kHow[] = {"done", "failed", "open"};
    json::object one;
    one["step"] = step.name;
    one["state"] = kHow[static_cast<std::size_t>(step.how)];
    one["note"] = text_or_null(step.note);
    chain.push_back(std::move(one));
  }
  out["chain"] = std::move(chain);
  out["advice"] = strings(service.advice);
  return out;
}

json::object line_json(const LineView& line) {
  json::object out;
  out["name"] = line.name;
  out["title"] = line.title;
  out["line"] = line.line;
  out["busy_percent"] = percent(line.busy_percent);
  out["planned_percent"] = rounded(line.planned_percent, 2);
  out["requests"] = line.requests;
  out["failed"] = line.failed;
  out["bytes_in"] = line.bytes_in;
  out["bytes_out"] = line.bytes_out;
  out["errors"] = counts(line.errors);
  json::array plan;
  for (const auto& request : line.plan) {
    json::object one;
    one["device"] = request.device;
    one["function"] = request.function;
    one["first"] = request.first;
    one["count"] = request.count;
    one["interval_s"] = seconds(request.interval);
    one["wire_ms"] = rounded(to_ms(request.wire), 2);
    one["points"] = strings(request.points);
    one["note"] = text_or_null(request.note);
    plan.push_back(std::move(one));
  }
  out["plan"] = std::move(plan);
  return out;
}

json::object devices_json(const View& view, Items how) {
  json::object out;
  if (how == Items::keyed) {
    json::object items;
    for (const auto& device : view.devices) items[device.name] = device_json(device);
    out["items"] = std::move(items);
    return out;
  }
  json::array items;
  for (const auto& device : view.devices) items.push_back(device_json(device));
  out["items"] = std::move(items);
  out["next"] = nullptr;
  return out;
}

json::object points_json(const PointsView& points, Items how) {
  json::object out;
  out["device"] = points.name;
  out["time"] = to_rfc3339(points.at);
  if (how == Items::keyed) {
    json::object items;
    for (const auto& point : points.points) items[point.name] = point_json(point);
    out["items"] = std::move(items);
  } else {
    json::array items;
    for (const auto& point : points.points) items.push_back(point_json(point));
    out["items"] = std::move(items);
    out["next"] = nullptr;
  }
  return out;
}

json::object lines_json(const View& view) {
  json::object out;
  json::array items;
  for (const auto& line : view.lines) items.push_back(line_json(line));
  out["items"] = std::move(items);
  out["next"] = nullptr;
  return out;
}

json::object overview_json(const View& view, Duration uptime) {
  const auto overview = overview_of(view);
  json::object out;
  out["state"] = to_string(overview.state);
  out["headline"] = overview.headline;
  out["reasons"] = strings(overview.reasons);
  out["uptime_s"] = std::floor(to_ms(uptime) / 1000);
  json::array sources;
  for (const auto& cell : overview.sources) {
    json::object one;
    one["type"] = cell.type;
    one["title"] = cell.title;
    one["good"] = cell.good;
    one["all"] = cell.all;
    one["state"] = to_string(cell.state);
    one["note"] = cell.note;
    one["page"] = cell.page;
    sources.push_back(std::move(one));
  }
  out["sources"] = std::move(sources);
  return out;
}

json::object status_json(const View& view, std::string_view version, Items how) {
  json::object out;
  out["time"] = to_rfc3339(view.at);
  out["version"] = version;
  out["site"] = view.site;
  out["config_hash"] = view.config_hash;
  out["overview"] = overview_json(view, view.uptime);
  if (how == Items::keyed) {
    json::object items;
    for (const auto& service : view.services) items[service.name] = service_json(service);
    out["items"] = std::move(items);
  } else {
    json::array items;
    for (const auto& service : view.services) items.push_back(service_json(service));
    out["items"] = std::move(items);
    out["next"] = nullptr;
  }
  return out;
}

}  // namespace lightship::portal
