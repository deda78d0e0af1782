// Writes measurement messages in their shapes.
#include "core/measurement.h"

#include <algorithm>
#include <array>

#include "base/json_writer.h"

namespace lightship {
namespace {

// A poll may be late by a reconnect without the values being wrong.
constexpr auto kStaleGrace = std::chrono::seconds(10);

struct Told {
  const PointInfo* info;
  const PointState* state;
  Reason reason;
};

// What the cache says of a device now.
struct Picture {
  const std::string& site;
  const DeviceInfo& info;
  const DeviceState& state;
  std::vector<Told> points;
  std::size_t good = 0;
  MonoTime now{}, oldest = MonoTime::max();
  Time newest = Time::min();
  bool online = false;

  std::string_view quality() const {
    return good == 0 ? "bad" : good == points.size() ? "good" : "partial";
  }
};

Picture look(const std::string& site, const Catalog& catalog, Cache& cache, DeviceId device,
             const Clock& clock) {
  Picture seen{site, catalog.info(device), cache.device(device), {}};
  seen.now = clock.mono();
  const auto oldest_allowed = seen.now - stale_after(seen.info);
  for (const auto id : catalog.points(device)) {
    const auto& point = cache.point(id);
    const auto& told = catalog.info(id);
    Reason reason = point.reason;
    if (reason == Reason::none && point.arrived < seen.now - stale_after(seen.info, told))
      reason = Reason::stale;
    if (reason == Reason::none) {
      ++seen.good;
      seen.oldest = std::min(seen.oldest, point.arrived);
      seen.newest = std::max(seen.newest, point.at);
    }
    seen.points.push_back({&told, &point, reason});
  }
  // Without any value the message tells of the failure, which has its own time.
  if (seen.good == 0) {
    seen.newest = seen.state.heard ? seen.state.at : clock.now();
    seen.oldest = seen.state.heard ? seen.state.arrived : seen.now;
  }
  seen.online = seen.state.online && seen.state.arrived >= oldest_allowed;
  return seen;
}

std::int64_t whole_ms(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

void say_whose(JsonWriter& json, const Picture& seen, const char* format) {
  json.begin_object();
  json.member("device_id", std::string_view(seen.site));
  json.member("connection_id", std::string_view(seen.info.connection));
  json.member("client_id", std::string_view(seen.info.client));
  json.member("type", std::string_view(seen.info.type));
  if (format != nullptr) json.member("format", format);
}

void say_how(JsonWriter& json, const Picture& seen) {
  json.member("timestamp", std::string_view(to_rfc3339(seen.newest)));
  json.member("quality", seen.quality());
  json.member("age_ms", whole_ms(seen.now - seen.oldest));
  json.member("poll_ms", whole_ms(seen.state.poll));
}

void say_value(JsonWriter& json, const Told& point) {
  if (point.reason == Reason::none)
    json.value(point.state->value);
  else
    json.null();
}

// `name` gives the member's name of a point.
template <class Name>
void say_units_and_errors(JsonWriter& json, const Picture& seen, const Name& name) {
  json.key("units").begin_object();
  for (const auto& point : seen.points) {
    if (!point.info->unit.empty())
      json.member(name(point.info->name), std::string_view(point.info->unit));
  }
  json.end_object();
  if (seen.good == seen.points.size()) return;
  json.key("errors").begin_object();
  for (const auto& point : seen.points) {
    if (point.reason == Reason::none) continue;
    json.member(name(point.info->name),
                std::string_view(to_string(point.reason, point.state->code)));
  }
  json.end_object();
}

std::string grouped(const Picture& seen) {
  std::string out;
  out.reserve(256 + 48 * seen.points.size());
  JsonWriter json(out);
  say_whose(json, seen, nullptr);
  say_how(json, seen);
  json.key("measurements").begin_object();
  for (const auto& point : seen.points) {
    json.key(point.info->name);
    say_value(json, point);
  }
  json.member("online", seen.online);
  json.end_object();
  say_units_and_errors(json, seen, [](std::string_view name) { return name; });
  return out;
}

constexpr std::array<std::string_view, 15> kEnvelope = {
    "device_id", "connection_id", "client_id", "type",       "format",
    "timestamp", "sequence",      "quality",   "age_ms",     "poll_ms",
    "units",     "errors",        "online",    "historical", "window_s"};

// A point whose name the envelope has gets "point_" in front, as often as it takes.
std::string beside_the_envelope(const Picture& seen, std::string name) {
  if (std::ranges::find(kEnvelope, name) == kEnvelope.end()) return name;
  do {
    name.insert(0, "point_");
  } while (std::ranges::any_of(seen.points,
                               [&](const Told& other) { return other.info->name == name; }));
  return name;
}

std::string flat(const Picture& seen) {
  std::string out;
  out.reserve(256 + 48 * seen.points.size());
  JsonWriter json(out);
  say_whose(json, seen, "flat/1");
  say_how(json, seen);
  json.member("online", seen.online);
  const auto name = [&](std::string_view point) {
    return beside_the_envelope(seen, std::string(point));
  };
  for (const auto& point : seen.points) {
    json.key(name(point.info->name));
    say_value(json, point);
  }
  say_units_and_errors(json, seen, name);
  return out;
}

Composed about_one(const Picture& seen, const Told& point) {
  const bool good = point.reason == Reason::none;
  // Without a value it tells of the failure, which has its own time.
  const bool known = good || point.state->arrived != MonoTime::min();
  const auto at = known ? point.state->at : seen.newest;
  const auto arrived = known ? point.state->arrived : seen.oldest;
  Composed made{{}, point.info->name.str(), at};
  JsonWriter json(made.open_json);
  say_whose(json, seen, "per_point/1");
  json.member("point", std::string_view(point.info->name));
  json.member("timestamp", std::string_view(to_rfc3339(at)));
  json.key("value");
  say_value(json, point);
  json.member("unit", std::string_view(point.info->unit));
  json.member("quality", good ? "good" : "bad");
  if (!good) json.member("error", std::string_view(to_string(point.reason, point.state->code)));
  json.member("age_ms", whole_ms(seen.now - arrived));
  return made;
}

Composed about_being_online(const Picture& seen) {
  const bool heard = seen.state.heard;
  Composed made{{}, "online", heard ? seen.state.at : seen.newest};
  JsonWriter json(made.open_json);
  say_whose(json, seen, "per_point/1");
  json.member("point", "online");
  json.member("timestamp", std::string_view(to_rfc3339(made.timestamp)));
  json.member("value", seen.online);
  json.member("unit", "");
  json.member("quality", "good");
  json.member("age_ms", heard ? whole_ms(seen.now - seen.state.arrived) : std::int64_t{0});
  return made;
}

}  // namespace

Duration stale_after(const DeviceInfo& device) { return 3 * device.poll_interval + kStaleGrace; }

Duration stale_after(const DeviceInfo& device, const PointInfo& point) {
  return 3 * (point.interval.count() > 0 ? point.interval : device.poll_interval) + kStaleGrace;
}

std::vector<Composed> compose(Shape shape, const std::string& site, const Catalog& catalog,
                              Cache& cache, DeviceId device, const Clock& clock) {
  const auto seen = look(site, catalog, cache, device, clock);
  std::vector<Composed> made;
  switch (shape) {
    case Shape::grouped:
      made.push_back({grouped(seen), {}, seen.newest});
      break;
    case Shape::flat:
      made.push_back({flat(seen), {}, seen.newest});
      break;
    case Shape::per_point:
      made.reserve(seen.points.size() + 1);
      for (const auto& point : seen.points) made.push_back(about_one(seen, point));
      made.push_back(about_being_online(seen));
  }
  return made;
}

}  // namespace lightship
