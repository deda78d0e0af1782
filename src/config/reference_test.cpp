// The documents that the declarations make.
#include "config/reference.h"

#include <gtest/gtest.h>

namespace lightship::config {
namespace {

using namespace std::chrono_literals;

struct Client {
  std::string id;
  std::optional<int> unit_id;
};
void describe(Fields& f, Client& c) {
  f.value("id", c.id, "its name").required().example("meter-1");
  f.value("unit_id", c.unit_id, "address on the line").between(1, 247);
}

struct Tls {
  std::string key;
};
void describe(Fields& f, Tls& c) { f.value("key", c.key, "a file"); }

struct Line {
  std::string parity = "N", word;
  std::chrono::milliseconds timeout = 3s;
  ByteSize room{256'000'000};
  double load = 12.5;
  bool enabled = true;
  Secret password;
  std::vector<std::string> hosts{"a", "b"};
  std::vector<Client> clients;
  std::map<std::string, std::string> headers;
  std::map<std::string, Client> named;
  std::optional<Tls> tls;
};
void describe(Fields& f, Line& c) {
  f.value("parity", c.parity, "check bit")
      .one_of({"N", "E", "O"})
      .only_with(true, "connection_type serial");
  f.value("timeout", c.timeout, "patience").between(10ms, 60s);
  f.value("room", c.room, "on disk").at_least(ByteSize{1 << 20});
  f.value("load", c.load, "a | b").at_most(100).unit("%");
  f.value("enabled", c.enabled, "").later("HTTP");
  f.value("password", c.password, "shared").deprecated("use keys");
  f.one_or_list("hosts", c.hosts, "whom");
  f.items("clients", c.clients, "the devices");
  f.map("headers", c.headers, "sent along");
  f.map("named", c.named, "by name");
  f.word_or_section("tls", c.word, {"auto"}, c.tls, "encryption");
}

TEST(Reference, TablesForPeople) {
  EXPECT_EQ(markdown(schema_of<Line>()),
            R"(| Key | Type | Default | Range | Meaning |
|---|---|---|---|---|
| `parity` | `N`, `E`, `O` | `N` |  | check bit; only with connection_type serial |
| `timeout` | duration | `3s` | 10ms to 1m | patience |
| `room` | size | `256MB` | at least 1MiB | on disk |
| `load` | number | `12.5` | at most 100 % | a \| b |
| `enabled` | true or false | `true` |  | without effect until this is built: HTTP |
| `password` | secret |  |  | shared; out of use: use keys |
| `hosts` | text or list of these | `[a, b]` |  | whom |
| `clients` | list of maps |  |  | the devices |
| `headers` | map of names to text |  |  | sent along |
| `named` | map |  |  | by name |
| `tls` | `auto` or map |  |  | encryption |

### `clients[]`

the devices

| Key | Type | Default | Range | Meaning |
|---|---|---|---|---|
| `id` | text | required |  | its name; for example `meter-1` |
| `unit_id` | whole number |  | 1 to 247 | address on the line |

### `named.<name>`

| Key | Type | Default | Range | Meaning |
|---|---|---|---|---|
| `id` | text | required |  | its name; for example `meter-1` |
| `unit_id` | whole number |  | 1 to 247 | address on the line |

### `tls`

encryption

| Key | Type | Default | Range | Meaning |
|---|---|---|---|---|
| `key` | text |  |  | a file |

)");
}

TEST(Reference, TheSchemaForForms) {
  EXPECT_EQ(
      schema_json(schema_of<Line>()),
      R"({"type":"object","properties":{)"
      R"("parity":{"type":"string","enum":["N","E","O"],"default":"N","help":"check bit","only_with":"connection_type serial"},)"
      R"("timeout":{"type":"string","format":"duration","minimum":0.01,"maximum":60,"default":"3s","help":"patience"},)"
      R"("room":{"type":"string","format":"size","minimum":1048576,"default":"256MB","help":"on disk"},)"
      R"("load":{"type":"number","maximum":100,"default":12.5,"help":"a | b","unit":"%"},)"
      R"("enabled":{"type":"boolean","default":true,"later":"HTTP"},)"
      R"("password":{"type":"string","secret":true,"help":"shared","deprecated":"use keys"},)"
      R"("hosts":{"type":"array","items":{"type":"string"},"or_single":true,"default":["a","b"],"help":"whom"},)"
      R"("clients":{"type":"array","items":{"type":"object","properties":{)"
      R"("id":{"type":"string","help":"its name","example":"meter-1"},)"
      R"("unit_id":{"type":"integer","minimum":1,"maximum":247,"help":"address on the line"}},)"
      R"("required":["id"],"additionalProperties":false},"help":"the devices"},)"
      R"("headers":{"type":"object","additionalProperties":{"type":"string"},"help":"sent along"},)"
      R"("named":{"type":"object","additionalProperties":{"type":"object","properties":{)"
      R"("id":{"type":"string","help":"its name","example":"meter-1"},)"
      R"("unit_id":{"type":"integer","minimum":1,"maximum":247,"help":"address on the line"}},)"
      R"("required":["id"],"additionalProperties":false},"help":"by name"},)"
      R"("tls":{"type":"object","properties":{"key":{"type":"string","help":"a file"}},"required":[],)"
      R"("additionalProperties":false,"or_word":["auto"],"help":"encryption"}},)"
      R"("required":[],"additionalProperties":false})");
}

SiteFiles site() {
  SiteFiles files;
  files.file("lines.yaml", "The lines.");
  files.items("lines.yaml", "lines", "kind", {"tcp", "udp"}, "a line over the network",
              [](Fields& f) {
                Client one;
                describe(f, one);
              });
  files.later_items("lines.yaml", "lines", "kind", {"serial"}, "the serial port");
  files.later("mesh.yaml", "the mesh");
  return files;
}

TEST(Reference, AWholeSite) {
  EXPECT_EQ(markdown(site()),
            R"(## lines.yaml

The lines.

| Key | Type | Default | Range | Meaning |
|---|---|---|---|---|
| `lines` | list of maps |  |  |  |

### `lines[]` with `kind` `tcp`, `udp`

a line over the network

| Key | Type | Default | Range | Meaning |
|---|---|---|---|---|
| `kind` | `tcp`, `udp` | required |  | which of them it is |
| `id` | text | required |  | its name; for example `meter-1` |
| `unit_id` | whole number |  | 1 to 247 | address on the line |

### `lines[]` with `kind` `serial`

Accepted, without effect until this is built: the serial port.

## mesh.yaml

Accepted, without effect until this is built: the mesh.

)");
  EXPECT_EQ(
      schema_json(site()),
      R"({"lines.yaml":{"help":"The lines.","type":"object","properties":{"lines":{"type":"array","items":{)"
      R"("discriminator":"kind","oneOf":[{"help":"a line over the network","type":"object","properties":{)"
      R"("kind":{"type":"string","enum":["tcp","udp"],"help":"which of them it is"},)"
      R"("id":{"type":"string","help":"its name","example":"meter-1"},)"
      R"("unit_id":{"type":"integer","minimum":1,"maximum":247,"help":"address on the line"}},)"
      R"("required":["kind","id"],"additionalProperties":false,"values":["tcp","udp"]},)"
      R"({"later":"the serial port","values":["serial"]}]}}},"required":[],"additionalProperties":false},)"
      R"("mesh.yaml":{"type":"object","later":"the mesh"}})");
}

TEST(Reference, DescribingTouchesNothing) {
  Line line;
  line.timeout = 7s;
  std::vector<Described> keys;
  Fields f(keys);
  describe(f, line);
  EXPECT_EQ(line.timeout, 7s);
  EXPECT_EQ(line.hosts.size(), 2u);
  EXPECT_TRUE(line.clients.empty() && line.named.empty() && !line.tls);
}

}  // namespace
}  // namespace lightship::config
