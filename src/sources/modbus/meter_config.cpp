// Declares the keys of a meter: meters/*.yaml and meter_registry.yaml.
#include <algorithm>

#include "base/hex.h"
#include "base/text.h"
#include "sources/modbus/config.h"
#include "sources/modbus/sunspec.h"

namespace lightship::poller {

using config::Fields;

namespace {

// A point without a source or confidence of its own has those of the map.
void inherit(MeterConfig& c) {
  static const std::vector<std::string> kLevels{"multi", "single", "model", "convention"};
  const bool level = std::ranges::find(kLevels, c.confidence) != kLevels.end();
  for (auto& [name, point] : c.registers) {
    if (point.source.empty()) point.source = c.source;
    if (point.confidence.empty() && level) point.confidence = c.confidence;
    if (!c.sunspec || !point.not_available.empty() || point.function != 3) continue;
    const auto type = modbus::parse_data_type(point.data_type);
    if (const auto mark = type ? sunspec_mark(*type) : std::nullopt)
      point.not_available.push_back(*mark);
  }
}

}  // namespace

void describe(Fields& f, MeterConfig::Test& c) {
  f.value("request", c.request, "an RTU frame in hex").required();
  f.value("answer", c.answer, "the RTU frame that answers it").required();
  f.map("values", c.values, "the points it gives, as they are shown").required();
  if (f.describing()) return;
  c.at = f.position();
  c.request_at = f.position("request");
  c.answer_at = f.position("answer");
  for (const auto& [name, value] : c.values) c.values_at.push_back(f.position("values", name));
}

void describe(Fields& f, FingerprintConfig& c) {
  f.value("address", c.address, "wire address, counted from 0").required();
  f.value("count", c.count, "registers").between(1, 125);
  f.value("function", c.function, "3 holding registers, 4 input registers").between(3, 4);
  f.one_or_list("equals", c.equals, "what the registers begin with, in hex")
      .example("\"42323320\"");
  f.one_or_list("text", c.text, "words that stand in the text of the registers").example("PM53");
  f.list("range", c.range, "lowest and highest value of one register").sized(2, 2);
  f.value("id", c.id, "which of the family says so; absent: the first");
  f.value("certainty", c.certainty, "certain: no other meter says so")
      .one_of({"certain", "likely"});
  if (f.describing()) return;
  const int ways = int{!c.equals.empty()} + int{!c.text.empty()} + int{!c.range.empty()};
  f.check(ways == 1, "address", "a fingerprint has one of equals, text and range");
  for (const auto& mark : c.equals) {
    if (const auto bytes = from_hex(mark); !bytes || bytes->empty())
      f.error("equals", fmt::format("'{}' is not a hex number such as \"42323320\"", mark));
    else
      f.check(bytes->size() <= 2u * c.count, "equals",
              fmt::format("'{}' is longer than {}", mark, counted(c.count, "register")));
  }
  f.check(c.range.empty() || c.count == 1, "range", "a range is one register's");
  f.check(std::uint32_t{c.address} + c.count <= 65536, "address", "ends past register 65535");
}

void describe(Fields& f, SunspecConfig& c) {
  f.list("models", c.models, "the SunSpec models that have these registers");
  f.list("base", c.bases, "where the device's chain of models may begin; absent: 40000, 50000, 0")
      .sized(1, 3);
  f.list("combine", c.combine,
         "SunSpec meters whose points this one has, each from the model the device has");
  if (f.describing()) return;
  f.check(c.models.empty() != c.combine.empty(), "models",
          "a SunSpec meter has either models or combine");
}

void describe(Fields& f, MeterConfig& c) {
  f.value("id", c.id, "the meter_model of a device").required().pattern_id();
  f.list("also", c.also, "further meter_model names with the same registers");
  f.value("manufacturer", c.manufacturer, "who makes it");
  f.value("model", c.model, "what it says on the front");
  f.value("protocol", c.protocol, "modbus_rtu, modbus_tcp or modbus")
      .one_of({"modbus_rtu", "modbus_tcp", "modbus"});
  f.value("default_baud_rate", c.default_baud_rate, "as it leaves the factory")
      .between(50, 4'000'000);
  f.list("supported_profiles", c.supported_profiles, "profiles a device may name");
  f.map("profiles", c.profiles, "points of a profile, where the rule of its name does not fit");
  f.section("limits", c.limits, "what the meter can take");
  f.value("confidence", c.confidence, "how sure the map is as a whole");
  f.value("source", c.source, "where the map comes from");
  f.list("quirks", c.quirks, "what one must know of it");
  f.section(
      "sunspec", c.sunspec,
      "addresses count from the id register of a SunSpec model, which is found in the device");
  f.items("fingerprint", c.identified_by, "what the meter says of itself, for `scan`");
  f.map("registers", c.registers, "the points").pattern_id();
  f.items("tests", c.tests, "frames and the values they give");
  if (f.describing()) return;

  c.at = f.position("id");
  c.profiles_at = f.position("profiles");
  c.fingerprint = config::fingerprint(f);
  const bool combines = c.sunspec && !c.sunspec->combine.empty();
  f.check(combines || f.has("registers"), "id", "a meter needs registers");
  f.check(!combines || !f.has("registers"), "registers",
          "a meter that combines others has no registers of its own");
  inherit(c);
}

}  // namespace lightship::poller
