// Every meter of the registry as a simulated device, polled the way a device is: setup, plan,
// requests, answers, values.
#include <gtest/gtest.h>

#include "base/manual_clock.h"
#include "codec/modbus/pdu.h"
#include "link/testing/on_loop.h"
#include "sources/modbus/identify.h"
#include "sources/modbus/setup.h"
#include "sources/modbus/testing/simulated_meter.h"

namespace lightship::poller {
namespace {

struct BuiltIn {
  config::Mistakes mistakes;
  Meters meters = Meters::built_in(mistakes);
};
const Meters& built_in() {
  static const BuiltIn all;
  return all.meters;
}

Result<std::vector<std::uint16_t>> read(modbus::DataMap& device, Space space, std::uint16_t first,
                                        std::uint16_t count) {
  const modbus::Request request = modbus::Read{static_cast<modbus::Function>(space), first, count};
  const auto pdu = modbus::answer(device, 1, modbus::encode(request));
  auto reply = modbus::decode_reply(request, pdu);
  if (!reply) return std::unexpected(reply.error());
  return reply->registers();
}

Task<Result<std::vector<std::uint16_t>>> ask(modbus::DataMap& device, Space space,
                                             std::uint16_t first, std::uint16_t count) {
  co_return read(device, space, first, count);
}

class SimulatedMeter : public testing::TestWithParam<std::string> {
 protected:
  asio::io_context loop;
  ManualClock clock{loop};
  const MeterConfig& meter() const { return *built_in().find(GetParam()); }
  std::shared_ptr<sim::RegisterMeter> device = simulated(meter(), built_in(), clock);

  DeviceSetup setup(std::string profile = "") {
    ConnectionConfig connection;
    connection.id = "line";
    connection.type = LineType::tcp;
    DeviceConfig client;
    client.id = "meter";
    client.meter_model = GetParam();
    client.profile = std::move(profile);
    auto made = device_setup(connection, client, built_in());
    if (made.is_sunspec()) {
      asio::io_context walking;
      const auto chain = link::on_loop(
          walking,
          walk_sunspec([this](Space space, std::uint16_t first,
                              std::uint16_t count) { return ask(*device, space, first, count); },
                       made.sunspec_bases));
      EXPECT_TRUE(chain) << chain.error().text;
      if (!chain) return made;
      auto points = resolve(made.points, *chain);
      EXPECT_TRUE(points) << points.error().text;
      if (points) made.points = std::move(*points);
    }
    return made;
  }

  // Every point's value, or the reason why not, as one poll gives them.
  std::map<std::string, modbus::Decoded> poll(const DeviceSetup& of) {
    std::vector<PlanPoint> places;
    for (const auto& point : of.points) places.push_back(point.where);
    std::map<std::string, std::vector<std::uint16_t>> words;
    for (const auto& block : plan(places, of.limits)) {
      const auto answer = read(*device, block.space, block.first, block.count);
      EXPECT_TRUE(answer) << block.first << "+" << block.count << ": " << answer.error().text;
      if (!answer) continue;
      for (const auto which : block.points) {
        const auto& point = of.points[which];
        const auto from = answer->begin() + (point.where.address - block.first);
        words[point.name].assign(from, from + point.where.count);
      }
    }
    std::map<std::string, modbus::Decoded> values;
    for (const auto& point : of.points) {
      if (point.where.count == 0) continue;
      std::optional<std::int16_t> power;
      if (!point.scale_register.empty())
        power = static_cast<std::int16_t>(words[point.scale_register].at(0));
      values[point.name] = modbus::decode(point.spec, words[point.name], power);
    }
    return values;
  }
};

TEST_P(SimulatedMeter, IsReadAsWhatItShows) {
  const auto of = setup();
  const auto values = poll(of);
  std::size_t compared = 0;
  for (const auto& point : of.points) {
    if (point.where.count == 0) continue;  // of another model
    ASSERT_TRUE(values.contains(point.name)) << point.name;
    const auto& came = values.at(point.name);
    EXPECT_EQ(came.why, modbus::Why::none) << point.name << " is " << modbus::to_string(came.why);
    const auto shown = device->shows(point.name);
    ++compared;
    if (point.name == "model_id" && of.is_sunspec()) continue;
    if (point.name == "model_length") continue;
    if (std::holds_alternative<std::string>(shown)) {
      EXPECT_EQ(to_text(came.value), to_text(shown)) << point.name;
    } else {
      const double expected = as_double(shown);
      EXPECT_NEAR(as_double(came.value), expected,
                  0.51 * device->step(point.name) *
                          (point.spec.type == modbus::DataType::float32 ||
                                   point.spec.type == modbus::DataType::pf4q
                               ? 0
                               : 1) +
                      std::abs(expected) * 1e-6)
          << point.name;
    }
  }
  EXPECT_GT(compared, 3u);
}

TEST_P(SimulatedMeter, IsReadAgainAfterAMinuteWithOtherValues) {
  const auto of = setup();
  const auto before = poll(of);
  clock.advance(std::chrono::minutes(1));
  const auto after = poll(of);
  if (!before.contains("active_power_total")) return;
  EXPECT_NE(as_double(before.at("active_power_total").value),
            as_double(after.at("active_power_total").value));
}

TEST_P(SimulatedMeter, IsReadByItsBasicProfileAsWell) {
  const auto wanted = profile_points(meter(), "basic_power");
  if (wanted.empty()) return;
  const auto of = setup("basic_power");
  const auto values = poll(of);
  for (const auto& name : wanted) {
    const auto point = std::ranges::find(of.points, name, &DevicePoint::name);
    ASSERT_NE(point, of.points.end()) << name;
    if (point->where.count > 0) EXPECT_EQ(values.at(name).why, modbus::Why::none) << name;
  }
  EXPECT_LT(of.points.size(), setup().points.size());
}

// By its SunSpec models, or by its plausible voltage and frequency among all other maps.
TEST_P(SimulatedMeter, IsFoundByAskingIt) {
  Asker asker{[this](Space space, std::uint16_t first, std::uint16_t count) {
                return ask(*device, space, first, count);
              },
              {}};
  asio::io_context asking;
  const auto found = link::on_loop(asking, identify(std::move(asker), built_in()));
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_LE(found->requests, 60u);
  const bool tells_a_voltage = std::ranges::any_of(meter().registers, [](const auto& entry) {
    return entry.first == "voltage" || entry.first == "voltage_l1";
  });
  if (meter().sunspec) {
    ASSERT_FALSE(found->candidates.empty());
    EXPECT_TRUE(found->candidates.front().meter_model.starts_with("sunspec"));
  } else if (tells_a_voltage) {
    const auto own = std::ranges::find(found->candidates, meter().id, &Candidate::meter_model);
    ASSERT_NE(own, found->candidates.end());
    EXPECT_GE(own->score, found->candidates.front().score) << found->candidates.front().meter_model;
  }
}

std::vector<std::string> meter_ids() {
  std::vector<std::string> ids;
  for (const auto& meter : built_in().all()) ids.push_back(meter.id);
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Meters, SimulatedMeter, testing::ValuesIn(meter_ids()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lightship::poller
