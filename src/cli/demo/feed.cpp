// Reads measurement messages.
#include "cli/demo/feed.h"

#include <cmath>

#include <boost/json.hpp>

namespace lightship::cli {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kRateOver = 10s;

std::string text(const json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

double number(const json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}

Value value_of(const json::value& value) {
  if (value.is_bool()) return value.get_bool();
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_double()) return Real{value.get_double()};
  if (value.is_string()) return std::string(value.get_string());
  return {};
}

template <class F>
void each(const json::object& object, std::string_view key, F take) {
  const auto* found = object.if_contains(key);
  if (found == nullptr || !found->is_object()) return;
  for (const auto& [name, value] : found->get_object()) take(std::string(name), value);
}

}  // namespace

std::string for_reading(double value, std::string unit) {
  static constexpr std::string_view kScaled[] = {"W", "Wh", "var", "VA", "varh", "VAh"};
  if (std::ranges::find(kScaled, unit) != std::end(kScaled)) {
    for (const char* prefix : {"k", "M"}) {
      if (std::abs(value) < 1000) break;
      value /= 1000;
      if (unit.size() > 1 && (unit[0] == 'k')) unit.erase(0, 1);
      unit.insert(0, prefix);
    }
  }
  const double size = std::abs(value);
  const bool whole = size == std::floor(size) && unit == "h";
  auto number = fmt::format("{:.{}f}", value,
                            whole         ? 0
                            : size < 10   ? 3
                            : size < 100  ? 2
                            : size < 1000 ? 1
                                          : 0);
  return unit.empty() ? number : number + " " + unit;
}

std::string HeardDevice::shown(std::string_view point) const {
  const auto found = values.find(std::string(point));
  if (found == values.end() || !has_value(found->second)) return {};
  if (std::holds_alternative<bool>(found->second))
    return std::get<bool>(found->second) ? found->first : "";
  if (std::holds_alternative<std::string>(found->second))
    return std::get<std::string>(found->second);
  const auto unit = units.find(found->first);
  return for_reading(as_double(found->second), unit == units.end() ? "" : unit->second);
}

HeardDevice& Feed::device(std::string id) {
  const auto place = std::ranges::lower_bound(devices_, id, {}, &HeardDevice::id);
  if (place != devices_.end() && place->id == id) return *place;
  HeardDevice fresh;
  fresh.id = std::move(id);
  return *devices_.insert(place, std::move(fresh));
}

void Feed::take(std::string_view payload, MonoTime now) {
  boost::system::error_code wrong;
  const auto message = json::parse({payload.data(), payload.size()}, wrong);
  if (wrong || !message.is_object()) return;
  const auto& object = message.get_object();
  const auto connection = text(object, "connection_id"), client = text(object, "client_id");
  if (connection.empty() || client.empty()) return;

  if (messages_++ == 0) first_ = now;
  recent_.push_back(now);
  while (recent_.front() < now - kRateOver) recent_.pop_front();

  auto& heard = device(connection + "/" + client);
  const auto sequence = static_cast<std::uint64_t>(number(object, "sequence"));
  if (heard.messages > 0 && sequence > heard.sequence + 1)
    missing_ += sequence - heard.sequence - 1;
  if (heard.messages > 0 && sequence <= heard.sequence) {
    ++repeated_;
    return;
  }
  ++heard.messages;
  heard.sequence = sequence;
  heard.arrived = now;
  heard.poll_ms = number(object, "poll_ms");
  heard.values.clear();
  heard.online = text(object, "quality") != "bad";
  each(object, "measurements", [&](std::string name, const json::value& value) {
    if (name == "online")
      heard.online = value.is_bool() && value.get_bool();
    else
      heard.values[std::move(name)] = value_of(value);
  });
  each(object, "units", [&](std::string name, const json::value& unit) {
    if (unit.is_string()) heard.units[std::move(name)] = unit.get_string().c_str();
  });
  heard.trouble.clear();
  each(object, "errors", [&](const std::string&, const json::value& why) {
    if (heard.trouble.empty() && why.is_string()) heard.trouble = why.get_string().c_str();
  });
}

std::size_t Feed::online(MonoTime now) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      devices_, [&](const auto& device) { return device.online && now - device.arrived <= kOld; }));
}

double Feed::rate(MonoTime now) const {
  if (recent_.empty()) return 0;
  const auto over = std::clamp<std::chrono::nanoseconds>(now - first_, 1s, kRateOver);
  const auto since =
      std::ranges::count_if(recent_, [&](MonoTime when) { return when > now - kRateOver; });
  return static_cast<double>(since) / std::chrono::duration<double>(over).count();
}

std::optional<Duration> Feed::newest_age(MonoTime now) const {
  if (recent_.empty()) return std::nullopt;
  return std::chrono::duration_cast<Duration>(now - recent_.back());
}

double Feed::power_w() const {
  double all = 0;
  for (const auto& device : devices_) {
    const auto power = device.values.find("active_power_total");
    if (power != device.values.end() && has_value(power->second)) all += as_double(power->second);
  }
  return all;
}

}  // namespace lightship::cli
