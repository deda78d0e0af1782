// What the module says of a site's lines and devices, to the character.
#include "sources/modbus/module.h"

#include <gtest/gtest.h>

namespace lightship::poller {
namespace {

std::string said(std::string_view poll_groups) {
  ModbusModule module;
  config::SiteFiles files;
  module.declare(files);
  config::SiteTexts texts;
  texts.files["slave_config.yaml"] = fmt::format(
      "connections:\n"
      "  - id: main\n"
      "    connection_type: tcp\n"
      "    host: 127.0.0.1\n"
      "    clients:\n"
      "      - id: meter\n"
      "        type: electrical\n"
      "        unit_id: 1\n"
      "        poll_interval: 5\n"
      "        registers:\n"
      "          voltage_l1: {{address: 0, data_type: uint16}}\n"
      "          current_l1: {{address: 1, data_type: uint16}}\n"
      "        poll_groups:\n{}",
      poll_groups);
  config::Mistakes mistakes;
  config::load(texts, files, mistakes);
  config::Site site;
  module.gather(site, mistakes);
  module.check(site, mistakes);
  return mistakes.text();
}

TEST(PollGroupsOfTheConfiguration, OfKnownPointsAreTaken) {
  EXPECT_EQ(said("          - {interval: 1, points: [voltage_l1]}\n"
                 "          - {interval: 60, points: [current_l1]}\n"),
            "");
}

TEST(PollGroupsOfTheConfiguration, AnUnknownPointIsToldWithTheNearestName) {
  EXPECT_EQ(said("          - {interval: 1, points: [voltage_11]}\n"),
            "slave_config.yaml:14:35: error: 'voltage_11' is no point of this device\n"
            "          - {interval: 1, points: [voltage_11]}\n"
            "                                  ^\n"
            "did you mean 'voltage_l1'?\n");
}

TEST(PollGroupsOfTheConfiguration, APointHasOneInterval) {
  EXPECT_EQ(said("          - {interval: 1, points: [voltage_l1]}\n"
                 "          - {interval: 60, points: [current_l1, voltage_l1]}\n"),
            "slave_config.yaml:15:36: error: 'voltage_l1' is in the poll group at line 14 already: "
            "a point has one interval\n"
            "          - {interval: 60, points: [current_l1, voltage_l1]}\n"
            "                                   ^\n");
}

TEST(PollGroupsOfTheConfiguration, APointTwiceInOneGroupIsToldAsWell) {
  EXPECT_EQ(said("          - {interval: 1, points: [voltage_l1, voltage_l1]}\n"),
            "slave_config.yaml:14:35: error: 'voltage_l1' is in the poll group at line 14 already: "
            "a point has one interval\n"
            "          - {interval: 1, points: [voltage_l1, voltage_l1]}\n"
            "                                  ^\n");
}

}  // namespace
}  // namespace lightship::poller
