// Writes the measurement message.
#include "core/measurement.h"

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

}  // namespace

Duration stale_after(const DeviceInfo& device) { return 3 * device.poll_interval + kStaleGrace; }

Measurement make_measurement(const std::string& site, const Catalog& catalog, Cache& cache,
                             DeviceId device, std::uint64_t sequence, const Clock& clock) {
  const auto& info = catalog.info(device);
  const auto& state = cache.device(device);
  const auto now = clock.mono();
  const auto oldest_allowed = now - stale_after(info);

  std::vector<Told> told;
  std::size_t good = 0;
  MonoTime oldest = MonoTime::max();
  Time newest = Time::min();
  for (const auto id : catalog.points(device)) {
    const auto& point = cache.point(id);
    Reason reason = point.reason;
    if (reason == Reason::none && point.arrived < oldest_allowed) reason = Reason::stale;
    if (reason == Reason::none) {
      ++good;
      oldest = std::min(oldest, point.arrived);
      newest = std::max(newest, point.at);
    }
    told.push_back({&catalog.info(id), &point, reason});
  }
  // Without any value the message tells of the failure, which has its own time.
  if (good == 0) {
    newest = state.heard ? state.at : clock.now();
    oldest = state.heard ? state.arrived : now;
  }
  const bool online = state.online && state.arrived >= oldest_allowed;

  Measurement message{{}, newest};
  auto& out = message.open_json;
  out.reserve(256 + 48 * told.size());
  JsonWriter json(out);
  json.begin_object();
  json.member("device_id", std::string_view(site));
  json.member("connection_id", std::string_view(info.connection));
  json.member("client_id", std::string_view(info.client));
  json.member("type", std::string_view(info.type));
  json.member("timestamp", std::string_view(to_rfc3339(newest)));
  json.member("sequence", sequence);
  json.member("quality", good == 0 ? "bad" : good == told.size() ? "good" : "partial");
  json.member("age_ms",
              std::chrono::duration_cast<std::chrono::milliseconds>(now - oldest).count());
  json.member("poll_ms", std::chrono::duration_cast<std::chrono::milliseconds>(state.poll).count());
  json.key("measurements").begin_object();
  for (const auto& point : told) {
    json.key(point.info->name);
    if (point.reason == Reason::none)
      json.value(point.state->value);
    else
      json.null();
  }
  json.member("online", online);
  json.end_object();
  json.key("units").begin_object();
  for (const auto& point : told) {
    if (!point.info->unit.empty())
      json.member(point.info->name, std::string_view(point.info->unit));
  }
  json.end_object();
  if (good < told.size()) {
    json.key("errors").begin_object();
    for (const auto& point : told) {
      if (point.reason == Reason::none) continue;
      json.member(point.info->name, std::string_view(to_string(point.reason, point.state->code)));
    }
    json.end_object();
  }
  return message;
}

std::string finish_message(const std::string& open_json, bool historical) {
  return open_json + (historical ? ",\"historical\":true}" : "}");
}

}  // namespace lightship
