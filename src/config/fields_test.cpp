// What is declared is read, and what is wrong is said in words tested to the character.
#include "config/fields.h"

#include <gtest/gtest.h>

#include "config/from_text.h"

namespace lightship::config {
namespace {

using namespace std::chrono_literals;
using Duration = std::chrono::microseconds;

enum class Parity { none, even, odd };
enum class Probe { icmp, tcp };
auto enum_names(Probe) {
  return std::to_array<Named<Probe>>({{"icmp", Probe::icmp}, {"tcp", Probe::tcp}});
}

struct Line {
  std::string id, host = "localhost";
  std::uint16_t port = 502;
  std::uint8_t unit_id = 1;
  Parity parity = Parity::none;
  std::optional<Probe> probe;
  Duration interval = 10s, timeout = 3s;
  bool enabled = false;
  double scale = 1, stop_bits = 1;
  ByteSize room{256'000'000};
  ByteSize most{256'000'000};
  Secret password;
  std::vector<std::string> hosts;
  std::vector<int> packet_types;
  std::optional<Duration> max_age;
  std::int64_t offset = 0;
};

void describe(Fields& f, Line& c) {
  f.value("id", c.id, "its name").pattern_id();
  f.value("host", c.host, "where");
  f.value("port", c.port, "TCP port").at_least(1);
  f.value("unit_id", c.unit_id, "address").between(1, 247);
  f.choice("parity", c.parity, {{"N", Parity::none}, {"E", Parity::even}, {"O", Parity::odd}}, "");
  f.value("probe", c.probe, "how to ask");
  f.value("interval", c.interval, "between two").between(200ms, 1h);
  f.value("timeout", c.timeout, "patience").at_most(60s);
  f.value("enabled", c.enabled, "");
  f.value("scale", c.scale, "");
  f.value("stop_bits", c.stop_bits, "").one_of_numbers({1, 1.5, 2});
  f.value("room", c.room, "").at_least(ByteSize{1000});
  f.value("most", c.most, "").raised_to(ByteSize{16'000'000}, c.most);
  f.value("password", c.password, "").sized(8);
  f.list("hosts", c.hosts, "").sized(1, 3);
  f.one_or_list("packet_types", c.packet_types, "").between(0, 15);
  f.value("max_age", c.max_age, "");
  f.value("offset", c.offset, "");
  f.check(c.timeout < c.interval, "timeout", "must be shorter than interval");
}

std::string said(std::string_view text) { return from_text<Line>(text).mistakes; }
Line line(std::string_view text) {
  auto result = from_text<Line>(text);
  EXPECT_EQ(result.mistakes, "");
  return std::move(result.value);
}

TEST(Fields, AKeyThatIsNotKnownIsNamedWithTheRightWord) {
  EXPECT_EQ(said("host: a\nintervall: 5\n"),
            "test.yaml:2:1: error: unknown key 'intervall'\n"
            "intervall: 5\n"
            "^\n"
            "did you mean 'interval'?\n");
}

TEST(Fields, ASizeThatWasEnoughOnceIsRaisedWithAWarning) {
  const auto result = from_text<Line>("most: 8MB\n");
  EXPECT_EQ(result.value.most.bytes, 16'000'000u);
  EXPECT_EQ(result.mistakes,
            "test.yaml:1:7: warning: most: 8MB is less than the least that can be, 16MB is used\n"
            "most: 8MB\n      ^\n");
  EXPECT_EQ(line("most: 17MB").most.bytes, 17'000'000u);
  EXPECT_NE(said("most: some").find("error"), std::string::npos);
}

TEST(Fields, NothingOfAPasswordInAnAddressIsShownBesideAMistake) {
  for (const auto* text : {
           R"({hots: "http://bob:pa'ss@127.0.0.1/"})",
           R"({hots: 'http://bob:pa"ss@127.0.0.1/'})",
           R"({hots: "http://bob:pa\"ss@127.0.0.1/"})",
           R"({hots: 'http://bob:pa''ss@127.0.0.1/'})",
           R"({hots: "http://bob:pa ss@127.0.0.1/", port: 1})",
           R"({hots: http://bob:pa'ss@127.0.0.1/, port: 1})",
           "hots: http://bob:pa ss@127.0.0.1/  # ours\n",
           R"({host: "http://127.0.0.1/", hots: "http://bob:pa'ss@127.0.0.1/"})",
       }) {
    const auto shown = said(text);
    EXPECT_EQ(shown.find("ss@"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("bob"), std::string::npos) << shown;
    EXPECT_NE(shown.find("@127.0.0.1/"), std::string::npos) << shown;
  }
  EXPECT_NE(said("hots: http://127.0.0.1/  # bob@127.0.0.1\n").find("# bob@"), std::string::npos);
  Mistakes mistakes;
  mistakes.error({}, "'http://bob:pa'ss@127.0.0.1/' is no address");
  EXPECT_NE(mistakes.text().find("'http://*********@127.0.0.1/' is no address"), std::string::npos)
      << mistakes.text();
}

TEST(Fields, AKeyLikeNoOtherIsToldWhatIsAllowed) {
  struct Two {
    std::string host;
    int port = 0;
  };
  Mistakes mistakes;
  const Document document("test.yaml", "zebra: 1", Vault(), mistakes);
  Fields f(document, mistakes);
  Two two;
  f.value("host", two.host, "");
  f.value("port", two.port, "");
  f.finish();
  EXPECT_EQ(mistakes.text(),
            "test.yaml:1:1: error: unknown key 'zebra', allowed here: host, port\n"
            "zebra: 1\n"
            "^\n");
}

TEST(Fields, ADurationThatIsTooLongSaysWhatIsTheLongest) {
  EXPECT_EQ(said("interval: 400000d\n"),
            "test.yaml:1:11: error: interval: found '400000d' (text), expected a duration of at "
            "most 36600d\n"
            "interval: 400000d\n"
            "          ^\n");
}

TEST(Fields, AWrongTypeSaysWhatWasFoundAndWhatWasExpected) {
  EXPECT_EQ(
      said("interval: fast\n"),
      "test.yaml:1:11: error: interval: found 'fast' (text), expected a duration such as 500ms, "
      "5s, 2m or a number of seconds\n"
      "interval: fast\n"
      "          ^\n");
  EXPECT_EQ(
      said("port: [1]"),
      "test.yaml:1:7: error: port: found a list, expected a whole number\nport: [1]\n      ^\n");
  EXPECT_EQ(said("port: 5.5"),
            "test.yaml:1:7: error: port: found 5.5 (number), expected a whole number\nport: 5.5\n  "
            "    ^\n");
  EXPECT_EQ(said("enabled: 5"),
            "test.yaml:1:10: error: enabled: found 5 (number), expected true or false\nenabled: "
            "5\n         ^\n");
  EXPECT_EQ(said("scale: yes"),
            "test.yaml:1:8: error: scale: found yes (boolean), expected a number\nscale: yes\n     "
            "  ^\n");
  EXPECT_EQ(said("host: {a: b}"),
            "test.yaml:1:7: error: host: found a map, expected a text\nhost: {a: b}\n      ^\n");
  EXPECT_EQ(said("hosts: a"),
            "test.yaml:1:8: error: hosts: found 'a' (text), expected a list\nhosts: a\n       ^\n");
  EXPECT_EQ(
      said("room: 5 apples"),
      "test.yaml:1:7: error: room: found '5 apples' (text), expected a size such as 64KiB, 256MB "
      "or a number of bytes\nroom: 5 apples\n      ^\n");
}

TEST(Fields, ANumberOutOfRangeIsToldTheRange) {
  EXPECT_EQ(said("unit_id: 248"),
            "test.yaml:1:10: error: unit_id: found 248, expected a whole number from 1 to 247\n"
            "unit_id: 248\n         ^\n");
  EXPECT_EQ(said("unit_id: 70000"),  // more than the member could hold
            "test.yaml:1:10: error: unit_id: found 70000, expected a whole number from 1 to 247\n"
            "unit_id: 70000\n         ^\n");
  EXPECT_EQ(said("port: -1"),
            "test.yaml:1:7: error: port: found -1, expected a whole number of at least 1\n"
            "port: -1\n      ^\n");
  EXPECT_EQ(said("interval: 2h"),
            "test.yaml:1:11: error: interval: found 2h, expected a duration from 200ms to 1h\n"
            "interval: 2h\n          ^\n");
  EXPECT_EQ(said("max_age: -5"),
            "test.yaml:1:10: error: max_age: found -5, expected a duration of at least 0s\n"
            "max_age: -5\n         ^\n");
  EXPECT_EQ(
      said("packet_types: [2, 16]"),
      "test.yaml:1:19: error: packet_types[1]: found 16, expected a whole number from 0 to 15\n"
      "packet_types: [2, 16]\n                  ^\n");
  EXPECT_EQ(
      said("room: 10"),
      "test.yaml:1:7: error: room: found 10, expected a size of at least 1kB\nroom: 10\n      ^\n");
}

TEST(Fields, AWordThatIsNotAmongTheChoicesIsToldThemAll) {
  EXPECT_EQ(said("parity: none"),
            "test.yaml:1:9: error: parity: found 'none' (text), expected one of N, E, O\n"
            "parity: none\n        ^\n");
  EXPECT_EQ(said("probe: icpm"),
            "test.yaml:1:8: error: probe: found 'icpm' (text), expected one of icmp, tcp\n"
            "probe: icpm\n       ^\ndid you mean 'icmp'?\n");
  EXPECT_EQ(said("stop_bits: 3"),
            "test.yaml:1:12: error: stop_bits: found 3 (number), expected one of 1, 1.5, 2\n"
            "stop_bits: 3\n           ^\n");
}

TEST(Fields, ANumberBetweenQuotesIsTakenWithAWarning) {
  const auto result = from_text<Line>("port: \"1502\"");
  EXPECT_EQ(result.value.port, 1502);
  EXPECT_EQ(result.mistakes,
            "test.yaml:1:7: warning: port: found '1502' (text), taken for 1502\n"
            "port: \"1502\"\n      ^\n");
  EXPECT_EQ(said("port: \"fast\""),
            "test.yaml:1:7: error: port: found 'fast' (text), expected a whole number\n"
            "port: \"fast\"\n      ^\n");
  EXPECT_EQ(said("interval: \"5s\""), "");
}

TEST(Fields, TooManyOrTooFewAreCounted) {
  EXPECT_EQ(said("hosts: []"),
            "test.yaml:1:8: error: hosts: found 0 elements, expected 1 to 3 elements\n"
            "hosts: []\n       ^\n");
}

TEST(Fields, AnIdIsToldWhatItMayConsistOf) {
  EXPECT_EQ(
      said("id: a/b"),
      "test.yaml:1:5: error: id: found 'a/b' (text), expected letters, digits, '_', '.' and '-', "
      "at most 64, starting with a letter or digit\nid: a/b\n    ^\n");
}

TEST(Fields, ASecretIsNeverShown) {
  EXPECT_EQ(said("host: [x]\npassword: [hunter2]\n"),
            "test.yaml:1:7: error: host: found a list, expected a text\nhost: [x]\n      ^\n"
            "test.yaml:2:11: error: password: found a list, expected a text\n"
            "password: *********\n          ^\n");
}

TEST(Fields, ALineWithASecretIsShownWithStars) {
  EXPECT_EQ(said("{password: hunter2, porty: 5}"),
            "test.yaml:1:12: error: password: found 7 bytes, expected at least 8 bytes\n"
            "{password: *******, porty: 5}\n           ^\n"
            "test.yaml:1:21: error: unknown key 'porty'\n"
            "{password: *******, porty: 5}\n                    ^\ndid you mean 'port'?\n");
}

TEST(Fields, ChecksAcrossKeysPointAtTheirKey) {
  EXPECT_EQ(said("timeout: 20s\n"),
            "test.yaml:1:10: error: timeout: must be shorter than interval\n"
            "timeout: 20s\n         ^\n");
}

TEST(Fields, ACheckThatRestsOnABrokenKeySaysNothing) {
  EXPECT_EQ(
      said("timeout: 20s\ninterval: 3x\n"),
      "test.yaml:2:11: error: interval: found '3x' (text), expected a duration such as 500ms, 5s, "
      "2m or a number of seconds\ninterval: 3x\n          ^\n");
}

TEST(Fields, EverythingIsFoundAtOnceAndInOrder) {
  EXPECT_EQ(said("portt: 1\nscale: x\nunit_id: 0\nprobe: tpc\n"),
            "test.yaml:1:1: error: unknown key 'portt'\nportt: 1\n^\ndid you mean 'port'?\n"
            "test.yaml:2:8: error: scale: found 'x' (text), expected a number\nscale: x\n       ^\n"
            "test.yaml:3:10: error: unit_id: found 0, expected a whole number from 1 to 247\n"
            "unit_id: 0\n         ^\n"
            "test.yaml:4:8: error: probe: found 'tpc' (text), expected one of icmp, tcp\n"
            "probe: tpc\n       ^\ndid you mean 'tcp'?\n");
}

TEST(Fields, EveryTypeIsReadAsItIsWritten) {
  const Line all = line(
      "{id: m-1, host: 10.0.0.1, port: 0x1F6, unit_id: 247, parity: E, probe: tcp, interval: "
      "1.5s,\n"
      " timeout: 250ms, enabled: yes, scale: 1e-1, stop_bits: 1.5, room: 64KiB, password: a long "
      "one,\n"
      " hosts: [a, 7], packet_types: 4, max_age: 2m, offset: -9223372036854775808}");
  EXPECT_EQ(all.id, "m-1");
  EXPECT_EQ(all.port, 502);
  EXPECT_EQ(all.unit_id, 247);
  EXPECT_EQ(all.parity, Parity::even);
  EXPECT_EQ(all.probe, Probe::tcp);
  EXPECT_EQ(all.interval, 1500ms);
  EXPECT_EQ(all.timeout, 250ms);
  EXPECT_TRUE(all.enabled);
  EXPECT_EQ(all.scale, 0.1);
  EXPECT_EQ(all.stop_bits, 1.5);
  EXPECT_EQ(all.room.bytes, 65536u);
  EXPECT_EQ(all.password.reveal(), "a long one");
  EXPECT_EQ(all.hosts, (std::vector<std::string>{"a", "7"}));
  EXPECT_EQ(all.packet_types, std::vector<int>{4});
  EXPECT_EQ(all.max_age, 2min);
  EXPECT_EQ(all.offset, INT64_MIN);
}

TEST(Fields, WhatIsAbsentOrNullKeepsItsDefault) {
  const Line all = line("host:\nport: null\ninterval: ~\n");
  EXPECT_EQ(all.host, "localhost");
  EXPECT_EQ(all.port, 502);
  EXPECT_EQ(all.interval, 10s);
  EXPECT_FALSE(all.max_age.has_value());
}

TEST(Fields, PlainNumbersAreSeconds) {
  EXPECT_EQ(line("interval: 4").interval, 4s);
  EXPECT_EQ(line("{timeout: 0.25}").timeout, 250ms);
  EXPECT_EQ(line("{max_age: 1 h}").max_age, 1h);
}

}  // namespace
}  // namespace lightship::config
