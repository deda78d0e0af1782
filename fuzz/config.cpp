// Any bytes as a configuration file: never a crash, every mistake has a place, no secret is shown.
#include <cstdlib>

#include "base/json_writer.h"
#include "config/fields.h"
#include "config/site.h"

namespace {

using namespace lightship;
using namespace lightship::config;
using namespace std::chrono_literals;

constexpr const char* kSecret = "S3cret-of-the-vault";

enum class Parity { none, even };

struct Register {
  int address = 0;
  std::optional<double> scale;
  std::vector<double> range;
  std::map<int, std::string> names;
};
void describe(Fields& f, Register& c) {
  f.value("address", c.address, "").required().between(0, 65535);
  f.value("scale", c.scale, "").only_with(c.address > 0, "address");
  f.list("range", c.range, "").sized(2, 2);
  f.map("enum", c.names, "");
}

struct Client {
  std::string id;
  std::uint8_t unit_id = 1;
  std::chrono::microseconds interval = 10s, timeout = 3s;
  std::vector<std::pair<std::string, Register>> registers;
};
void describe(Fields& f, Client& c) {
  f.value("id", c.id, "").required().pattern_id();
  f.value("unit_id", c.unit_id, "").between(1, 247);
  f.value("interval", c.interval, "").between(200ms, 1h).deprecated("use poll_interval");
  f.value("timeout", c.timeout, "").at_most(60s).later("patience");
  f.map("registers", c.registers, "").pattern_id();
  f.check(c.timeout < c.interval, "timeout", "must be shorter than interval");
}

struct Line {
  std::string id, word;
  Parity parity = Parity::none;
  bool enabled = false;
  ByteSize room;
  Secret password;
  std::vector<std::string> hosts;
  std::vector<Secret> tokens;
  std::map<std::string, Secret> headers;
  std::map<std::string, std::vector<std::string>> keys;
  std::vector<Client> clients;
  std::optional<Register> tls;
};
void describe(Fields& f, Line& c) {
  f.value("id", c.id, "").required();
  f.choice("parity", c.parity, {{"N", Parity::none}, {"E", Parity::even}}, "");
  f.value("enabled", c.enabled, "");
  f.value("room", c.room, "").at_least(ByteSize{1024});
  f.value("password", c.password, "").sized(8);
  f.one_or_list("hosts", c.hosts, "").sized(1, 3);
  f.list("tokens", c.tokens, "");
  f.map("headers", c.headers, "");
  f.map("keys", c.keys, "");
  f.items("clients", c.clients, "").unique("id");
  f.word_or_section("tls", c.word, {"auto", "off"}, c.tls, "");
  if (!f.describing() && fingerprint(f).size() != 16) std::abort();
}

SiteFiles site() {
  SiteFiles files;
  const auto line = [](Fields& f) {
    Line one;
    describe(f, one);
  };
  files.section("any.yaml", "", "", [](Fields& f) {
    std::string id;
    f.value("device_id", id, "").pattern_id();
  });
  files.section("any.yaml", "communication.mqtt_config", "", line);
  files.items("any.yaml", "connections", "connection_type", {"serial", "tcp"}, "", line);
  files.later_items("any.yaml", "connections", "connection_type", {"iec61850"}, "IEC 61850");
  return files;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SiteFiles files = site();
  static const Vault vault({{"one", kSecret}}, {{"TWO", kSecret}});
  SiteTexts texts;
  texts.files["any.yaml"] = std::string(data, data + size);
  texts.vault = vault;

  Mistakes mistakes;
  load(texts, files, mistakes);
  for (const Mistake& mistake : mistakes.sorted()) {
    if (mistake.line < 1 || mistake.column < 1 || mistake.source_column < 1) std::abort();
    if (mistake.message.empty()) std::abort();
  }
  std::string shown = mistakes.text();
  JsonWriter json(shown);
  mistakes.write_json(json);
  const bool given = texts.files["any.yaml"].find(kSecret) != std::string::npos;
  if (!given && shown.find(kSecret) != std::string::npos) std::abort();
  return 0;
}
