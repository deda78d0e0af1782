// Maps within maps, lists of them, keys that are names, and what builders say about them.
#include <gtest/gtest.h>

#include "config/from_text.h"

namespace lightship::config {
namespace {

struct Register {
  int address = 0;
  std::string unit;
};
void describe(Fields& f, Register& c) {
  f.value("address", c.address, "on the wire").required().between(0, 65535);
  f.value("unit", c.unit, "");
}

struct Tls {
  std::string key;
};
void describe(Fields& f, Tls& c) { f.value("key", c.key, "").required(); }

struct Device {
  std::string id, kind = "tcp";
  int baud_rate = 9600, http_interval = 60, period = 0;
  std::vector<std::pair<std::string, Register>> registers;
  std::map<std::string, Secret> headers;
  std::map<std::string, std::vector<std::string>> channel_keys;
  std::map<int, std::string> names;
  Position at, id_at;
};
void describe(Fields& f, Device& c) {
  if (!f.describing()) {
    c.at = f.position();
    c.id_at = f.position("id");
  }
  f.value("id", c.id, "").required();
  f.value("kind", c.kind, "").one_of({"serial", "tcp"});
  f.value("baud_rate", c.baud_rate, "").only_with(c.kind == "serial", "kind serial");
  f.value("http_interval", c.http_interval, "").later("publishing over HTTP");
  f.value("period", c.period, "").deprecated("use http_interval");
  f.map("registers", c.registers, "").pattern_id();
  f.map("headers", c.headers, "");
  f.map("channel_keys", c.channel_keys, "");
  f.map("names", c.names, "");
}

struct House {
  std::vector<Device> devices;
  std::optional<Tls> tls;
  std::string tls_word;
};
void describe(Fields& f, House& c) {
  f.items("devices", c.devices, "").unique("id");
  f.word_or_section("tls", c.tls_word, {"auto", "off"}, c.tls, "");
}

std::string said(std::string_view text) { return from_text<House>(text).mistakes; }
House house(std::string_view text) {
  auto result = from_text<House>(text);
  EXPECT_EQ(result.mistakes, "");
  return std::move(result.value);
}

TEST(Nested, WhatIsMissingIsSaidWhereItsMapBegins) {
  EXPECT_EQ(said("devices:\n  - kind: tcp\n    registers: {a: {unit: V}}\n"),
            "test.yaml:2:5: error: 'id' is missing\n"
            "  - kind: tcp\n"
            "    ^\n"
            "test.yaml:3:20: error: 'address' is missing\n"
            "    registers: {a: {unit: V}}\n"
            "                   ^\n");
}

TEST(Nested, ThePathNamesEveryLevel) {
  Mistakes mistakes;
  const Document document("test.yaml",
                          "devices: [{id: a}, {id: b, registers: {volt: {address: -1}}}]", Vault(),
                          mistakes);
  House ignored;
  read(document, ignored, mistakes);
  ASSERT_EQ(mistakes.sorted().size(), 1u);
  EXPECT_EQ(mistakes.sorted()[0].path, "devices[1].registers.volt.address");
}

TEST(Nested, AListThatShouldBeAMapAndTheOtherWayRound) {
  EXPECT_EQ(said("devices: {id: a}\n"),
            "test.yaml:1:10: error: devices: found a map, expected a list\ndevices: {id: a}\n      "
            "   ^\n");
  EXPECT_EQ(said("devices: [a]\n"),
            "test.yaml:1:11: error: devices[0]: found 'a' (text), expected a map\n"
            "devices: [a]\n          ^\n");
  EXPECT_EQ(said("devices: [{id: a, registers: [1]}]\n"),
            "test.yaml:1:30: error: registers: found a list, expected a map\n"
            "devices: [{id: a, registers: [1]}]\n                             ^\n");
}

TEST(Nested, NoTwoItemsHaveTheSameId) {
  EXPECT_EQ(said("devices:\n  - id: a\n  - id: b\n  - id: a\n"),
            "test.yaml:4:9: error: id: 'a' is already used in line 2\n  - id: a\n        ^\n");
}

TEST(Nested, KeysThatAreNamesMayBeCheckedToo) {
  EXPECT_EQ(
      said("devices: [{id: a, registers: {a b: {address: 1}}}]"),
      "test.yaml:1:31: error: registers: found key 'a b', expected letters, digits, '_', '.' and "
      "'-', "
      "at most 64, starting with a letter or digit\n"
      "devices: [{id: a, registers: {a b: {address: 1}}}]\n                              ^\n");
  EXPECT_EQ(said("devices: [{id: a, names: {x: y}}]"),
            "test.yaml:1:27: error: names: found key 'x' (text), expected a whole number\n"
            "devices: [{id: a, names: {x: y}}]\n                          ^\n");
}

TEST(Nested, AKeyOfAnotherKindOfDeviceIsAnError) {
  EXPECT_EQ(said("devices: [{id: a, baud_rate: 1200}]"),
            "test.yaml:1:19: error: 'baud_rate' belongs to kind serial\n"
            "devices: [{id: a, baud_rate: 1200}]\n                  ^\n");
  EXPECT_EQ(said("devices: [{id: a, kind: serial, baud_rate: 1200}]"), "");
}

TEST(Nested, AKeyOfAKindThatIsWrongItselfSaysNothing) {
  EXPECT_EQ(said("devices: [{id: a, kind: seral, baud_rate: 1200}]"),
            "test.yaml:1:25: error: kind: found 'seral' (text), expected one of serial, tcp\n"
            "devices: [{id: a, kind: seral, baud_rate: 1200}]\n                        ^\n"
            "did you mean 'serial'?\n");
}

TEST(Nested, WhatIsNotBuiltYetIsANoteAndWhatIsOldAWarning) {
  EXPECT_EQ(
      said("devices: [{id: a, http_interval: 5, period: 5}]"),
      "test.yaml:1:34: note: 'http_interval' has no effect in this version: publishing over HTTP "
      "is not built yet\n"
      "devices: [{id: a, http_interval: 5, period: 5}]\n                                 ^\n"
      "test.yaml:1:45: warning: 'period' is out of use: use http_interval\n"
      "devices: [{id: a, http_interval: 5, period: 5}]\n"
      "                                            ^\n");
}

TEST(Nested, MapsKeepTheOrderOfTheFile) {
  const auto all = house(
      "devices:\n"
      "  - id: a\n"
      "    registers:\n"
      "      zulu: {address: 1, unit: V}\n"
      "      alpha: {address: 2}\n"
      "    headers: {Authorization: Bearer x}\n"
      "    channel_keys: {one: AQ==, two: [a, b]}\n"
      "    names: {4: mppt}\n");
  const Device& device = all.devices.at(0);
  ASSERT_EQ(device.registers.size(), 2u);
  EXPECT_EQ(device.registers[0].first, "zulu");
  EXPECT_EQ(device.registers[0].second.unit, "V");
  EXPECT_EQ(device.registers[1].second.address, 2);
  EXPECT_EQ(device.headers.at("Authorization").reveal(), "Bearer x");
  EXPECT_EQ(device.channel_keys.at("one"), std::vector<std::string>{"AQ=="});
  EXPECT_EQ(device.channel_keys.at("two"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(device.names.at(4), "mppt");
}

TEST(Nested, AStructMayRememberWhereItStood) {
  const auto all = house("devices:\n  - id: a\n");
  EXPECT_EQ(all.devices[0].at, (Position{"test.yaml", 2, 5, "devices[0]"}));
  EXPECT_EQ(all.devices[0].id_at, (Position{"test.yaml", 2, 9, "devices[0].id"}));

  Mistakes later;
  later.know_source("test.yaml", "devices:\n  - id: a\n");
  later.error(all.devices[0].id_at, "two lines have this unit");
  EXPECT_EQ(later.text(), "test.yaml:2:9: error: two lines have this unit\n  - id: a\n        ^\n");
}

TEST(Nested, AWordOrAMap) {
  EXPECT_EQ(house("tls: auto").tls_word, "auto");
  EXPECT_EQ(house("tls: {key: a.pem}").tls.value().key, "a.pem");
  EXPECT_FALSE(house("{}").tls.has_value());
  EXPECT_EQ(said("tls: auot"),
            "test.yaml:1:6: error: tls: found 'auot' (text), expected one of auto, off\n"
            "tls: auot\n     ^\ndid you mean 'auto'?\n");
}

std::string print_of(std::string_view text) {
  Mistakes mistakes;
  const Document document("test.yaml", text, Vault({{"s", "one"}}, {{"E", "one"}}), mistakes);
  return fingerprint(Fields(document, mistakes), "part");
}

TEST(Fingerprint, SeesMeaningAndNotStyle) {
  EXPECT_EQ(print_of("part: {a: 1, b: [x, y]}"),
            print_of("# why\npart:\n  b:\n  - x\n  - 'y'\n  a: 1\n"));
  EXPECT_NE(print_of("part: {a: 1}"), print_of("part: {a: 2}"));
  EXPECT_NE(print_of("part: {a: [b, c]}"), print_of("part: {a: [bc]}"));
  EXPECT_EQ(print_of("part: {a: 1}\nother: 1"), print_of("part: {a: 1}\nother: 2"));
  EXPECT_EQ(print_of("part: !secret s"), print_of("part: !env E"));
  EXPECT_EQ(print_of("part: {a: 1}").size(), 16u);
}

}  // namespace
}  // namespace lightship::config
