// Every meter that is built in: its own tests, its profiles, its addresses and its units.
#include "sources/modbus/meters.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/hex.h"
#include "codec/modbus/pdu.h"
#include "codec/modbus/rtu.h"
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

// What the frames of one test say of each point that they hold, as it is shown.
std::map<std::string, std::string> shown(const MeterConfig& meter, const MeterConfig::Test& test) {
  std::map<std::string, std::string> values;
  const ByteVector asked = hex(test.request), answered = hex(test.answer);
  const auto request_frame = modbus::rtu::unframe(asked);
  const auto answer_frame = modbus::rtu::unframe(answered);
  if (!request_frame || !answer_frame) {
    ADD_FAILURE() << (request_frame ? "answer: " + answer_frame.error().text
                                    : "request: " + request_frame.error().text);
    return values;
  }
  EXPECT_EQ(request_frame->unit, answer_frame->unit);
  const auto request = modbus::decode_request(request_frame->pdu);
  const auto* read = request ? std::get_if<modbus::Read>(&*request) : nullptr;
  if (read == nullptr) {
    ADD_FAILURE() << "the request is no read";
    return values;
  }
  const auto reply = modbus::decode_reply(*request, answer_frame->pdu);
  if (!reply) {
    ADD_FAILURE() << reply.error().text;
    return values;
  }
  const auto registers = std::span(reply->registers());
  for (const auto& [name, c] : meter.registers) {
    const auto where = place_of(c);
    const bool inside = modbus::code(read->function) == c.function &&
                        where.address >= read->address &&
                        where.address + where.count <= read->address + read->count;
    if (!inside) continue;
    const auto decoded = modbus::decode(
        point_spec(c), registers.subspan(where.address - read->address, where.count));
    values[name] = decoded.why == modbus::Why::none ? to_text(decoded.value)
                                                    : std::string(modbus::to_string(decoded.why));
  }
  return values;
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
  ASSERT_FALSE(meter().tests.empty()) << "a meter file carries its tests";
  for (const auto& test : meter().tests) {
    SCOPED_TRACE(test.request);
    const auto values = shown(meter(), test);
    for (const auto& [name, expected] : test.values) {
      const auto found = values.find(name);
      ASSERT_NE(found, values.end()) << name << " is not in the frames of this test";
      EXPECT_EQ(found->second, expected) << name;
    }
  }
}

TEST_P(BuiltInMeter, HasPointsForEveryProfileThatItNames) {
  for (const auto* common : {"basic_power", "full_power"}) {
    EXPECT_FALSE(profile_points(meter(), common).empty()) << common;
  }
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

TEST_P(BuiltInMeter, GivesBasicPowerAVoltageACurrentAndAPower) {
  const auto points = profile_points(meter(), "basic_power");
  for (const auto* quantity : {"voltage", "current", "active_power"}) {
    EXPECT_TRUE(std::ranges::any_of(points, [&](const auto& name) {
      return name.starts_with(quantity);
    })) << quantity;
  }
}

TEST_P(BuiltInMeter, KeepsItsRegistersWithinTheAddressesThereAre) {
  const auto most = meter().limits.max_registers.value_or(125);
  for (const auto& [name, c] : meter().registers) {
    EXPECT_LE(c.address + wire_count(c), 65536) << name;
    EXPECT_LE(wire_count(c), most) << name << " does not fit one request";
  }
}

TEST_P(BuiltInMeter, ReadsNoRegisterForTwoPoints) {
  const auto& all = meter().registers;
  for (auto one = all.begin(); one != all.end(); ++one) {
    for (auto other = std::next(one); other != all.end(); ++other) {
      if (is_part_of_a_register(one->second) && is_part_of_a_register(other->second)) continue;
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

}  // namespace
}  // namespace lightship::poller
