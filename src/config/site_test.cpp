// A whole site: who reads what, what nobody knows, and what is not built yet.
#include "config/site.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

#include "base/json_writer.h"

namespace lightship::config {
namespace {

struct Broker {
  std::string host;
  int port = 1883;
};
void describe(Fields& f, Broker& c) {
  f.value("host", c.host, "").required();
  f.value("port", c.port, "").between(1, 65535);
}

struct Connection {
  std::string id, kind;
  int baud_rate = 0;
};
void describe(Fields& f, Connection& c) {
  f.value("id", c.id, "").required();
  f.value("connection_type", c.kind, "");
  f.value("baud_rate", c.baud_rate, "").only_with(c.kind == "serial", "connection_type serial");
}

// Modules as the house has them: each knows only its own part.
struct Modules {
  std::string device_id, gateway;
  Broker broker;
  std::vector<Connection> connections;
  SiteFiles files;

  Modules() {
    files.section("communication.yaml", "", "",
                  [this](Fields& f) { f.value("device_id", device_id, "").pattern_id(); });
    files.section("communication.yaml", "communication.mqtt_config", "the broker",
                  [this](Fields& f) { describe(f, broker); });
    files.section("communication.yaml", "communication.modbus_tcp_gateway", "the gateway",
                  [this](Fields& f) { f.value("host", gateway, ""); });
    files.later_section("communication.yaml", "communication.api_endpoints",
                        "publishing over HTTP");
    files.items("slave_config.yaml", "connections", "connection_type", {"serial", "tcp"},
                "a Modbus line", [this](Fields& f) {
                  Connection one;
                  describe(f, one);
                  if (!f.describing()) connections.push_back(one);
                });
    files.later_items("slave_config.yaml", "connections", "connection_type", {"iec61850"},
                      "IEC 61850");
    files.later("mesh.yaml", "the mesh");
  }

  std::string load(std::map<std::string, std::string> texts) {
    Mistakes mistakes;
    config::load(SiteTexts{std::move(texts), Vault()}, files, mistakes);
    return mistakes.text();
  }
};

TEST(Site, SeveralModulesShareAFile) {
  Modules m;
  EXPECT_EQ(m.load({{"communication.yaml",
                     "device_id: here\n"
                     "communication:\n"
                     "  mqtt_config: {host: broker, port: 8883}\n"
                     "  modbus_tcp_gateway: {host: 0.0.0.0}\n"},
                    {"slave_config.yaml", "connections: [{id: a, connection_type: tcp}]"}}),
            "");
  EXPECT_EQ(m.device_id, "here");
  EXPECT_EQ(m.broker.port, 8883);
  EXPECT_EQ(m.gateway, "0.0.0.0");
  EXPECT_EQ(m.connections.at(0).kind, "tcp");
}

TEST(Site, NoFileAtAllIsFine) { EXPECT_EQ(Modules().load({}), ""); }

TEST(Site, AKeyThatNoModuleKnowsIsFoundAtEveryLevel) {
  EXPECT_EQ(
      Modules().load({{"communication.yaml", "communication: {mqtt_confg: {}}\nx: 1\n"}}),
      "communication.yaml:1:17: error: unknown key 'mqtt_confg'\n"
      "communication: {mqtt_confg: {}}\n                ^\ndid you mean 'mqtt_config'?\n"
      "communication.yaml:2:1: error: unknown key 'x', allowed here: device_id, communication\n"
      "x: 1\n^\n");
}

TEST(Site, AKeyInAWrongPlaceIsToldWhereItBelongs) {
  EXPECT_EQ(Modules().load({{"communication.yaml",
                             "modbus_tcp_gateway: {host: a}\n"
                             "communication:\n"
                             "  connections: []\n"
                             "  mqtt_config: {host: a, api_endpoints: 1}\n"}}),
            "communication.yaml:1:1: error: 'modbus_tcp_gateway' does not belong here, but in "
            "communication.yaml under communication, as communication.modbus_tcp_gateway\n"
            "modbus_tcp_gateway: {host: a}\n^\n"
            "did you mean 'communication.modbus_tcp_gateway'?\n"
            "communication.yaml:3:3: error: 'connections' does not belong here, but at the top of "
            "slave_config.yaml, as connections\n"
            "  connections: []\n  ^\ndid you mean 'connections'?\n"
            "communication.yaml:4:26: error: 'api_endpoints' does not belong here, but in "
            "communication.yaml under communication, as communication.api_endpoints\n"
            "  mqtt_config: {host: a, api_endpoints: 1}\n                         ^\n"
            "did you mean 'communication.api_endpoints'?\n");
}

TEST(Site, AnUnknownKindOfItemIsToldThemAllAndStillRead) {
  EXPECT_EQ(
      Modules().load({{"slave_config.yaml",
                       "connections:\n"
                       "  - connection_type: seral\n"
                       "    baud_rate: fast\n"}}),
      "slave_config.yaml:2:5: error: 'id' is missing\n"
      "  - connection_type: seral\n    ^\n"
      "slave_config.yaml:2:22: error: connection_type: found 'seral' (text), expected one of "
      "serial, "
      "tcp, iec61850\n"
      "  - connection_type: seral\n                     ^\ndid you mean 'serial'?\n"
      "slave_config.yaml:3:16: error: baud_rate: found 'fast' (text), expected a whole number\n"
      "    baud_rate: fast\n               ^\n");
}

TEST(Site, AnItemMustSayWhatItIs) {
  EXPECT_EQ(Modules().load({{"slave_config.yaml", "connections: [{id: a}]"}}),
            "slave_config.yaml:1:15: error: 'connection_type' is missing\n"
            "connections: [{id: a}]\n              ^\n");
}

TEST(Site, WhatIsNotBuiltYetIsANote) {
  EXPECT_EQ(
      Modules().load(
          {{"communication.yaml", "communication: {api_endpoints: {any: {thing: 1}}}"},
           {"mesh.yaml", "meshtastic: []"},
           {"slave_config.yaml", "connections: [{connection_type: iec61850, points: {}}]"}}),
      "communication.yaml:1:32: note: 'api_endpoints' has no effect in this version: publishing "
      "over "
      "HTTP is not built yet\n"
      "communication: {api_endpoints: {any: {thing: 1}}}\n                               ^\n"
      "mesh.yaml:1:1: note: this file has no effect in this version: the mesh is not built yet\n"
      "meshtastic: []\n^\n"
      "slave_config.yaml:1:33: note: connection_type: 'iec61850' has no effect in this version: "
      "IEC "
      "61850 is not built yet\n"
      "connections: [{connection_type: iec61850, points: {}}]\n                                "
      "^\n");
}

TEST(Site, WhatIsNotBuiltYetStillHasToBeYaml) {
  EXPECT_EQ(Modules().load({{"mesh.yaml", "a: [1"}}),
            "mesh.yaml:1:4: error: YAML: this '[' is never closed\na: [1\n   ^\n");
}

TEST(Site, MistakesOfSeveralFilesAreSorted) {
  EXPECT_EQ(
      Modules().load({{"slave_config.yaml", "a: 1"},
                      {"communication.yaml", "communication:\n  mqtt_config:\n    port: 0\n"}}),
      "communication.yaml:3:5: error: 'host' is missing\n    port: 0\n    ^\n"
      "communication.yaml:3:11: error: port: found 0, expected a whole number from 1 to 65535\n"
      "    port: 0\n          ^\n"
      "slave_config.yaml:1:1: error: unknown key 'a', allowed here: connections\na: 1\n^\n");
}

TEST(Site, MistakesAsJson) {
  Modules m;
  Mistakes mistakes;
  load(SiteTexts{{{"slave_config.yaml", "conections: 1"}}, {}}, m.files, mistakes);
  std::string out;
  JsonWriter json(out);
  mistakes.write_json(json);
  EXPECT_EQ(
      out,
      R"([{"severity":"error","file":"slave_config.yaml","line":1,"column":1,"path":"conections",)"
      R"("message":"unknown key 'conections'","found":"conections","expected":"connections",)"
      R"("suggestion":"connections"}])");
}

TEST(Site, OnlySoManyMistakesAreKept) {
  std::string text;
  for (int i = 0; i < 600; ++i) text += fmt::format("k{}: 1\n", i);
  Modules m;
  Mistakes mistakes;
  load(SiteTexts{{{"slave_config.yaml", text}}, {}}, m.files, mistakes);
  EXPECT_EQ(mistakes.sorted().size(), Mistakes::kMost);
  EXPECT_TRUE(mistakes.text().ends_with("and 100 more\n"));
}

// The one place where files are the subject.
class SiteDirectory : public testing::Test {
 protected:
  SiteDirectory()
      : path_(std::filesystem::temp_directory_path() / fmt::format("site-{}", ::getpid())) {
    std::filesystem::create_directory(path_);
  }
  ~SiteDirectory() override { std::filesystem::remove_all(path_); }
  void write(const std::string& name, std::string_view text, unsigned mode = 0600) {
    std::ofstream(path_ / name) << text;
    ::chmod((path_ / name).c_str(), mode);
  }
  std::string load() {
    Mistakes mistakes;
    config::load(path_, modules_.files, mistakes);
    return mistakes.text();
  }
  std::filesystem::path path_;
  Modules modules_;
};

TEST_F(SiteDirectory, AFileThatNobodyKnowsIsAWarning) {
  write("comunication.yml", "a: [");
  write("notes.txt", "");
  EXPECT_EQ(load(),
            "comunication.yml:1:1: warning: this file is not known and not read\n"
            "did you mean 'communication.yaml'?\n");
}

TEST_F(SiteDirectory, SecretsThatOthersMayReadAreRefused) {
  write("secrets.yaml", "broker: hunter2\n", 0644);
  write("communication.yaml", "communication: {mqtt_config: {host: !secret broker}}");
  EXPECT_EQ(load(),
            fmt::format("secrets.yaml:1:1: error: mode 0644 lets others read the secrets; run: "
                        "chmod 600 {}/secrets.yaml\n",
                        path_.string()));
}

TEST_F(SiteDirectory, SecretsAreReadFromBeside) {
  write("secrets.yaml", "broker: hunter2\n");
  write("communication.yaml", "communication: {mqtt_config: {host: !secret broker}}");
  EXPECT_EQ(load(), "");
  EXPECT_EQ(modules_.broker.host, "hunter2");
}

TEST_F(SiteDirectory, WhatIsWrongInTheSecretsIsSaidWithoutThem) {
  write("secrets.yaml", "broker: *hunter2\n");
  EXPECT_EQ(load(), "secrets.yaml:1:9: error: not valid YAML\n");
  write("secrets.yaml", "broker: [hunter2]\na: !x y\n");
  EXPECT_EQ(load(),
            "secrets.yaml:1:1: error: broker: expected a text\n"
            "secrets.yaml:2:4: error: unknown tag, expected !secret or !env\n");
}

TEST_F(SiteDirectory, AThingThatIsNoFileIsNotRead) {
  std::filesystem::create_directory(path_ / "communication.yaml");
  EXPECT_EQ(load(), "communication.yaml:1:1: error: not a regular file\n");
}

}  // namespace
}  // namespace lightship::config
