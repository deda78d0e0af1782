// The gateway's keys, and what it has to say about the rest of the site.
#include "sinks/modbus_gateway/config.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "config/from_text.h"
#include "config/module.h"

namespace lightship {
std::unique_ptr<config::Module> make_sink_modbus_gateway();
}

namespace lightship::gateway {
namespace {

using namespace std::chrono_literals;

std::string said(std::string_view text) { return config::from_text<GatewayConfig>(text).mistakes; }
GatewayConfig understood(std::string_view text) {
  auto read = config::from_text<GatewayConfig>(text);
  EXPECT_EQ(read.mistakes, "");
  return std::move(read.value);
}

TEST(GatewayConfig, IsOffAndAtHomeUnlessSaidOtherwise) {
  const auto config = understood("");
  EXPECT_FALSE(config.enabled);
  EXPECT_EQ(config.host, "127.0.0.1");
  EXPECT_EQ(config.port, 4196);
  EXPECT_EQ(config.cache_ttl, 180s);
  EXPECT_FALSE(config.pass_through);
  EXPECT_EQ(config.max_clients, 2000U);
}

TEST(GatewayConfig, TakesTheLineOfTheContract) {
  const auto config = understood(
      "{enabled: true, host: 127.0.0.1, port: 4196, cache_ttl: 180, allow_from: [10.0.0.0/8, "
      "\"::1\"], "
      "pass_through: false, max_clients: 2000}");
  EXPECT_TRUE(config.enabled);
  ASSERT_EQ(config.allowed.size(), 2U);
  EXPECT_EQ(config.allowed[1].text(), "::1/128");
}

TEST(GatewayConfig, AMappedPointGetsTheTypeOfItsField) {
  const auto config = understood(
      "map:\n"
      "  - {unit: 200, address: 0, point: a/b/c}\n"
      "  - {unit: 200, address: 2, point: a/b/c, field: age_ms}\n"
      "  - {unit: 200, address: 4, point: a/b/c, field: quality}\n"
      "  - {unit: 200, address: 5, point: a/b/c, data_type: int64, byte_order: CDAB}\n");
  ASSERT_EQ(config.map.size(), 4U);
  EXPECT_EQ(config.map[0].spec.type, modbus::DataType::float32);
  EXPECT_EQ(config.map[1].spec.type, modbus::DataType::uint32);
  EXPECT_EQ(config.map[2].spec.type, modbus::DataType::uint16);
  EXPECT_EQ(config.map[3].end(), 9U);
  EXPECT_EQ(config.map[3].spec.order, modbus::ByteOrder::little_swap);
}

TEST(GatewayConfig, ListeningToAllTheWorldIsWarnedOf) {
  EXPECT_EQ(said("{enabled: true, host: 0.0.0.0}"),
            "test.yaml:1:23: warning: host: 0.0.0.0 listens on all addresses, and without "
            "allow_from anybody who "
            "reaches one of them may read\n"
            "{enabled: true, host: 0.0.0.0}\n"
            "                      ^\n");
  EXPECT_NE(said("{enabled: true, host: '::'}"), "");
  EXPECT_EQ(said("{enabled: true, host: 0.0.0.0, allow_from: [10.0.0.0/8]}"), "");
  EXPECT_EQ(said("{enabled: false, host: 0.0.0.0}"), "");
}

TEST(GatewayConfig, ALowPortIsToldWhatItNeeds) {
  EXPECT_NE(said("{enabled: true, port: 502}")
                .find("note: port: 502 is below 1024: without root it needs the "
                      "capability CAP_NET_BIND_SERVICE"),
            std::string::npos);
  EXPECT_EQ(said("{enabled: true, port: 1024}"), "");
}

TEST(GatewayConfig, WhatIsNoBlockOfAddressesIsAnError) {
  EXPECT_NE(said("allow_from: [10.0.0.0/40]")
                .find("error: allow_from: the prefix of '10.0.0.0/40' must be a number "
                      "from 0 to 32"),
            std::string::npos);
  EXPECT_NE(said("allow_from: []"), "");
  EXPECT_NE(said("allow_from: [10.1.0.0/8]")
                .find("warning: allow_from: '10.1.0.0/8' stands for all of 10.0.0.0/8"),
            std::string::npos);
}

TEST(GatewayConfig, AMapEntryMustFitItsRegisters) {
  EXPECT_NE(said("map: [{unit: 1, address: 65535, point: a/b/c}]")
                .find("address 65535 with 2 registers ends past 65535"),
            std::string::npos);
  EXPECT_NE(
      said("map: [{unit: 1, address: 0, point: a/b/c, data_type: string}]").find("needs count"),
      std::string::npos);
  EXPECT_NE(said("map: [{unit: 1, address: 0, point: a/b/c, data_type: float33}]")
                .find("did you mean 'float32'?"),
            std::string::npos);
  EXPECT_NE(said("map: [{unit: 1, address: 0, point: a/b/c, data_type: bit}]"), "");
  EXPECT_NE(said("map: [{unit: 1, address: 0, point: a/b/c, data_type: int32, count: 3}]"), "");
  EXPECT_NE(said("map: [{address: 0, point: a/b/c}]"), "");
}

// A site of two meters, as the poller would tell it.
struct Neighbours {
  Neighbours() {
    site.devices.push_back(device("main-panel", "meter-1", 1, 10));
    site.devices.push_back(device("bay-3", "meter-2", 2, 20));
  }
  static config::Site::Device device(std::string connection, std::string client, std::uint8_t unit,
                                     int line) {
    config::Site::Device one;
    one.info = {.connection = std::move(connection),
                .client = std::move(client),
                .exposed = true,
                .gateway_unit = unit};
    one.points = {"voltage_l1", "voltage_l2"};
    one.at = one.type_at = one.unit_at = {"slave_config.yaml", line, 7, ""};
    return one;
  }
  std::string check(std::string_view gateway) {
    return check_file(fmt::format("communication:\n  modbus_tcp_gateway: {}\n", gateway));
  }
  std::string check_file(std::string communication) {
    module = make_sink_modbus_gateway();
    config::SiteFiles files;
    module->declare(files);
    config::SiteTexts texts;
    texts.files["communication.yaml"] = std::move(communication);
    config::Mistakes mistakes;
    config::load(texts, files, mistakes);
    module->check(site, mistakes);
    return mistakes.text();
  }
  std::string fingerprint(std::string_view gateway) {
    EXPECT_EQ(check(gateway), "");
    const auto parts = module->parts(site);
    return parts.size() == 1 && parts[0].name == "modbus_gateway" ? parts[0].fingerprint : "";
  }

  config::Site site;
  std::unique_ptr<config::Module> module;
};

TEST(GatewayModule, BringsAPartOnlyWhenItIsEnabled) {
  Neighbours here;
  EXPECT_EQ(here.check("{}"), "");
  EXPECT_TRUE(here.module->parts(here.site).empty());
  EXPECT_NE(here.fingerprint("{enabled: true}"), "");
}

TEST(GatewayModule, RestartsWhenItsKeysOrTheExposedDevicesChange) {
  Neighbours here;
  const auto before = here.fingerprint("{enabled: true}");
  EXPECT_EQ(here.fingerprint("{enabled: true}"), before);
  EXPECT_NE(here.fingerprint("{enabled: true, cache_ttl: 10}"), before);
  here.site.devices[1].info.gateway_unit = 3;
  EXPECT_NE(here.fingerprint("{enabled: true}"), before);
  here.site.devices[1].info.exposed = false;
  EXPECT_NE(here.fingerprint("{enabled: true}"), before);
}

TEST(GatewayModule, TwoDevicesCannotShareAUnitId) {
  Neighbours here;
  here.site.devices[1].info.gateway_unit = 1;
  EXPECT_EQ(here.check("{enabled: true}"),
            "slave_config.yaml:20:7: error: unit id 1 of the Modbus TCP gateway is both "
            "main-panel/meter-1's and "
            "bay-3/meter-2's; give one of them a gateway_unit_id of its own\n");
  here.site.devices[1].info.exposed = false;
  EXPECT_EQ(here.check("{enabled: true}"), "");
}

TEST(GatewayModule, MappedPointsHaveAUnitOfTheirOwn) {
  Neighbours here;
  EXPECT_NE(
      here.check("{enabled: true, map: [{unit: 2, address: 0, point: bay-3/meter-2/voltage_l1}]}")
          .find("unit 2 is bay-3/meter-2's; mapped points need a unit id of their own"),
      std::string::npos);
}

TEST(GatewayModule, MappedPointsMayNotOverlap) {
  Neighbours here;
  const auto text = here.check(
      "{enabled: true, map: [{unit: 200, address: 0, point: bay-3/meter-2/voltage_l1}, "
      "{unit: 200, address: 1, point: bay-3/meter-2/online}, {unit: 201, address: 0, point: "
      "bay-3/meter-2/online}]}");
  EXPECT_NE(text.find("registers 1-2 of unit 200 overlap those of bay-3/meter-2/voltage_l1 (0-1)"),
            std::string::npos);
  EXPECT_EQ(text.find("201"), text.find("201, address"));  // only in the quoted line
}

TEST(GatewayModule, AnUnknownPointIsAnErrorWithTheRightWord) {
  Neighbours here;
  const auto text =
      here.check("{enabled: true, map: [{unit: 200, address: 0, point: bay-3/meter-2/voltag_l1}]}");
  EXPECT_NE(text.find("error: there is no point 'bay-3/meter-2/voltag_l1'"), std::string::npos)
      << text;
  EXPECT_NE(text.find("did you mean 'bay-3/meter-2/voltage_l1'?"), std::string::npos) << text;
}

TEST(GatewayModule, TheExampleOfTheReadmeIsRight) {
  std::ifstream file(LIGHTSHIP_SOURCE_DIR "/src/sinks/modbus_gateway/README.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  // The devices of the example, in its second file, are the neighbours here.
  const auto begin = text.find("```yaml\n") + 8;
  const auto end = text.find("\n# slave_config.yaml", begin);
  ASSERT_NE(end, std::string::npos);
  Neighbours here;
  EXPECT_EQ(here.check_file(text.substr(begin, end - begin)), "");
  EXPECT_EQ(here.module->parts(here.site).size(), 1U);
}

TEST(GatewayModule, AGatewayToNowhereIsNoted) {
  Neighbours here;
  here.site.devices.clear();
  EXPECT_NE(here.check("{enabled: true}")
                .find("note: modbus_tcp_gateway is enabled, but no client has expose_via_tcp: "
                      "true"),
            std::string::npos);
}

}  // namespace
}  // namespace lightship::gateway
