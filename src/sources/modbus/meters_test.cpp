// Every meter that is built in: its own tests, its profiles, its addresses and its units.
#include "sources/modbus/meters.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "sources/modbus/meter_check.h"
#include "sources/modbus/setup.h"

namespace lightship::poller {
namespace {

struct BuiltIn {
  config::Mistakes mistakes;
  Meters meters = Meters::built_in(mistakes);
};
const BuiltIn& everything() {
  static const BuiltIn all;
  return all;
}
const Meters& built_in() { return everything().meters; }

PlanPoint place_of(const RegisterConfig& c) {
  return {static_cast<Space>(c.function), c.address, wire_count(c)};
}

// These share their register with others of the same address.
bool is_part_of_a_register(const RegisterConfig& c) {
  return c.data_type == "bit" || c.data_type == "bits" || c.data_type.starts_with("uint8") ||
         c.data_type.starts_with("int8");
}

bool overlap(const RegisterConfig& a, const RegisterConfig& b) {
  const auto x = place_of(a), y = place_of(b);
  return x.space == y.space && x.address < y.address + y.count && y.address < x.address + x.count;
}

bool needs_a_unit(std::string_view point) {
  for (const auto quantity :
       {"voltage", "current", "active_power", "reactive_power", "apparent_power", "frequency",
        "energy", "reactive_energy", "apparent_energy", "thd_"}) {
    if (point.starts_with(quantity)) return true;
  }
  return false;
}

TEST(BuiltInMeters, AreReadWithoutAMistake) {
  EXPECT_EQ(everything().mistakes.text(), "");
  EXPECT_FALSE(built_in().all().empty());
}

TEST(BuiltInMeters, HaveEachNameOnce) {
  std::vector<std::string> names;
  for (const auto& meter : built_in().all()) {
    names.push_back(meter.id);
    std::ranges::copy(meter.also, std::back_inserter(names));
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  EXPECT_EQ(twice, names.end()) << *twice;
}

class BuiltInMeter : public testing::TestWithParam<std::string> {
 protected:
  const MeterConfig& meter() const { return *built_in().find(GetParam()); }
};

TEST_P(BuiltInMeter, DecodesItsOwnFramesToTheValuesItNames) {
  if (meter().sunspec && !meter().sunspec->combine.empty()) return;  // it has none of its own
  ASSERT_FALSE(meter().tests.empty()) << "a meter file carries its tests";
  config::Mistakes mistakes;
  run_meter_tests(meter(), mistakes);
  EXPECT_EQ(mistakes.text(), "");
}

TEST_P(BuiltInMeter, TestsEveryPointInItsFile) {
  if (meter().sunspec && !meter().sunspec->combine.empty()) return;
  std::set<std::string> tested;
  for (const auto& test : meter().tests) {
    for (const auto& [name, value] : test.values) {
      if (value != "not_available") tested.insert(name);
    }
  }
  for (const auto& [name, c] : meter().registers) EXPECT_TRUE(tested.contains(name)) << name;
}

TEST_P(BuiltInMeter, IsRightInItself) {
  config::Mistakes mistakes;
  check_meter(meter(), mistakes);
  EXPECT_EQ(mistakes.text(), "");
}

TEST_P(BuiltInMeter, HasPointsForEveryProfileThatItNames) {
  EXPECT_FALSE(profile_points(meter(), "full_power").empty());
  for (const auto& profile : profile_names(meter()))
    EXPECT_FALSE(profile_points(meter(), profile).empty()) << profile;
  for (const auto& [profile, points] : meter().profiles) {
    for (const auto& point : points) {
      EXPECT_NE(std::ranges::find(meter().registers, point, &Registers::value_type::first),
                meter().registers.end())
          << profile << ": " << point;
    }
  }
}

TEST_P(BuiltInMeter, GivesBasicPowerNothingButItsQuantities) {
  const std::set<std::string> allowed{
      "voltage",       "voltage_l1",         "voltage_l2",       "voltage_l3",
      "current",       "current_l1",         "current_l2",       "current_l3",
      "active_power",  "active_power_total", "power_factor",     "frequency",
      "energy_import", "energy_total",       "power_factor_avg", "power_factor_total"};
  for (const auto& name : profile_points(meter(), "basic_power"))
    EXPECT_TRUE(allowed.contains(name)) << name;
  EXPECT_EQ(profile_points(meter(), "full_power").size(), meter().registers.size());
}

TEST_P(BuiltInMeter, KeepsItsRegistersWithinTheAddressesThereAre) {
  const auto most = meter().limits.max_registers.value_or(125);
  for (const auto& [name, c] : meter().registers) {
    EXPECT_LE(c.address + wire_count(c), 65536) << name;
    EXPECT_LE(wire_count(c), most) << name << " does not fit one request";
  }
}

TEST_P(BuiltInMeter, ReadsNoRegisterForTwoPoints) {
  if (meter().sunspec && !meter().sunspec->combine.empty()) return;  // they are in other models
  const auto& all = meter().registers;
  for (auto one = all.begin(); one != all.end(); ++one) {
    for (auto other = std::next(one); other != all.end(); ++other) {
      if (is_part_of_a_register(one->second) && is_part_of_a_register(other->second)) continue;
      if (one->second.alone || other->second.alone) continue;
      EXPECT_FALSE(overlap(one->second, other->second)) << one->first << " and " << other->first;
    }
  }
}

TEST_P(BuiltInMeter, SaysTheUnitOfEveryQuantityThatHasOne) {
  for (const auto& [name, c] : meter().registers) {
    if (needs_a_unit(name)) EXPECT_FALSE(c.unit.empty()) << name;
  }
}

TEST_P(BuiltInMeter, SaysWhereEachAddressComesFrom) {
  EXPECT_FALSE(meter().source.empty());
  for (const auto& [name, c] : meter().registers) EXPECT_FALSE(c.confidence.empty()) << name;
}

std::vector<std::string> meter_ids() {
  std::vector<std::string> ids;
  for (const auto& meter : built_in().all()) ids.push_back(meter.id);
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Meters, BuiltInMeter, testing::ValuesIn(meter_ids()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace_if(
                               name,
                               [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; },
                               '_');
                           return name;
                         });

TEST(Meters, AreShownByWhatStandsOnThem) {
  const auto shown = [](const char* id) { return shown_model(*built_in().find(id), id); };
  EXPECT_EQ(shown("schneider_em6400"), "Schneider EM6400");
  EXPECT_EQ(shown("schneider_em6433"), "Schneider EM6433");  // of the same family
  EXPECT_EQ(shown("schneider_em6400ng"), "Schneider EM6400NG");
  EXPECT_EQ(shown("elmeasure_lg5310"), "Elmeasure LG5310");
  for (const auto& id : built_in().ids()) {
    const auto name = shown_model(*built_in().find(id), id);
    EXPECT_FALSE(name.empty()) << id;
    EXPECT_LE(name.size(), 40U) << id << ": " << name;
  }
}

}  // namespace
}  // namespace lightship::poller
