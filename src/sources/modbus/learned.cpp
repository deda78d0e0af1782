// Reading and writing what was learned.
#include "sources/modbus/learned.h"

#include <algorithm>

#include <boost/json.hpp>

#include "base/json_writer.h"

namespace lightship::poller {

using namespace std::chrono_literals;

namespace {

constexpr int kVersion = 1;
constexpr auto kForgottenAfter = std::chrono::days(30);

bool same_place(const Hole& a, const Hole& b) {
  return a.space == b.space && a.first == b.first && a.count == b.count;
}

std::int64_t seconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// Throws what boost::json throws when a member is missing or of another kind.
std::int64_t whole(const boost::json::object& from, const char* key, std::int64_t low,
                   std::int64_t high) {
  const auto number = from.at(key).as_int64();
  if (number < low || number > high) throw std::out_of_range(key);
  return number;
}

Time time_of(const boost::json::object& from, const char* key) {
  return Time(std::chrono::seconds(whole(from, key, 0, 1LL << 36)));
}

std::optional<std::uint16_t> limit_of(const boost::json::object& from, const char* key,
                                      std::int64_t most) {
  if (!from.contains(key)) return std::nullopt;
  return static_cast<std::uint16_t>(whole(from, key, 1, most));
}

// Nothing: no hole that could be asked for. The others are good all the same.
std::optional<Hole> read_hole(const boost::json::value& entry) try {
  const auto& one = entry.as_object();
  Hole hole;
  hole.space = static_cast<Space>(whole(one, "function", 1, 4));
  hole.of_points = one.at("points").as_bool();
  hole.first = static_cast<std::uint16_t>(whole(one, "first", 0, 65535));
  // Between two points that may not be read together there need not be anything.
  const auto most = is_bits(hole.space) ? 2000 : 125;
  hole.count = static_cast<std::uint16_t>(whole(one, "count", hole.of_points ? 1 : 0, most));
  if (std::uint32_t{hole.first} + hole.count > 65536) return std::nullopt;
  hole.code = static_cast<std::uint8_t>(whole(one, "code", 0, 255));
  hole.since = time_of(one, "since");
  hole.found = time_of(one, "found");
  return hole;
} catch (const std::exception&) {
  return std::nullopt;
}

Learned read_model(const boost::json::object& from) {
  Learned model;
  model.max_registers = limit_of(from, "max_registers", 125);
  model.max_bits = limit_of(from, "max_bits", 2000);
  if (from.contains("pause_ms"))
    model.pause = std::chrono::milliseconds(whole(from, "pause_ms", 0, 500));
  model.since = time_of(from, "since");
  model.found = time_of(from, "found");
  model.why = std::string(from.at("why").as_string());
  for (const auto& entry : from.at("holes").as_array()) {
    const auto hole = read_hole(entry);
    if (hole && model.holes.size() < kMostHoles) model.holes.push_back(*hole);
  }
  return model;
}

}  // namespace

bool remember(Learned& learned, const Hole& hole, Time now) {
  const auto known =
      std::ranges::find_if(learned.holes, [&](const auto& one) { return same_place(one, hole); });
  if (known != learned.holes.end()) {
    known->found = now;
    known->code = hole.code;
    return false;
  }
  if (learned.holes.size() >= kMostHoles) return false;
  learned.holes.push_back(hole);
  return true;
}

bool forget(Learned& learned, const Hole& hole) {
  return std::erase_if(learned.holes, [&](const auto& one) { return same_place(one, hole); }) > 0;
}

std::string to_json(const LearnedModels& models) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("version", kVersion).key("models").begin_object();
  for (const auto& [key, memory] : models) {
    const auto& model = memory->learned;
    if (model.nothing()) continue;
    json.key(key).begin_object();
    if (model.max_registers) json.member("max_registers", *model.max_registers);
    if (model.max_bits) json.member("max_bits", *model.max_bits);
    if (model.pause.count() > 0) json.member("pause_ms", model.pause / 1ms);
    json.member("since", seconds(model.since)).member("found", seconds(model.found));
    json.member("why", model.why);
    json.key("holes").begin_array();
    for (const auto& hole : model.holes) {
      json.begin_object().member("function", static_cast<int>(hole.space));
      json.member("first", hole.first).member("count", hole.count);
      json.member("points", hole.of_points).member("code", hole.code);
      json.member("since", seconds(hole.since)).member("found", seconds(hole.found)).end_object();
    }
    json.end_array().end_object();
  }
  json.end_object().end_object();
  text += '\n';
  return text;
}

Result<LearnedModels> learned_from_json(std::string_view text, Time now) {
  boost::system::error_code failed;
  const auto tree = boost::json::parse(text, failed);
  if (failed) return fail(Errc::invalid, "not JSON: {}", failed.message());
  LearnedModels models;
  try {
    const auto& top = tree.as_object();
    const auto version = top.at("version").as_int64();
    if (version != kVersion)
      return fail(Errc::invalid, "version {} where {} is known", version, kVersion);
    for (const auto& [key, entry] : top.at("models").as_object()) {
      if (models.size() >= kMostModels) break;
      auto model = read_model(entry.as_object());
      std::erase_if(model.holes, [&](const auto& h) { return h.found + kForgottenAfter < now; });
      if (model.found + kForgottenAfter < now) {
        model.max_registers.reset();
        model.max_bits.reset();
        model.pause = {};
      }
      if (model.nothing()) continue;
      models[std::string(key)] = std::make_shared<ModelMemory>(std::move(model), 1);
    }
  } catch (const std::exception& wrong) {
    return fail(Errc::invalid, "not what we write: {}", wrong.what());
  }
  return models;
}

}  // namespace lightship::poller
