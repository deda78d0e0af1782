// The support bundle: what is in it, and that no secret is.
#include "portal/api/bundle.h"

#include <gtest/gtest.h>

#include "config/fields.h"
#include "link/gzip.h"
#include "portal/diag/tree_for_test.h"
#include "portal/testing/shop.h"

namespace lightship::portal {
namespace {

// Name to content of a tar archive.
std::map<std::string, std::string> unpacked(const std::string& tar) {
  std::map<std::string, std::string> files;
  for (std::size_t at = 0; at + 512 <= tar.size() && tar[at] != '\0';) {
    const std::string name(tar.data() + at);
    const auto size = std::stoul(tar.substr(at + 124, 11), nullptr, 8);
    unsigned sum = 8 * ' ';
    for (std::size_t i = 0; i < 512; ++i)
      if (i < 148 || i >= 156) sum += static_cast<unsigned char>(tar[at + i]);
    EXPECT_EQ(std::stoul(tar.substr(at + 148, 6), nullptr, 8), sum) << name;
    files[name] = tar.substr(at + 512, size);
    at += 512 + (size + 511) / 512 * 512;
  }
  return files;
}

constexpr const char* kSecrets[] = {"broker-pw-7", "tele-token-7", "inline-pw-7",
                                    "url-pw-7",    "header-pw-7",  "query-key-7",
                                    "old-pw-7",    "proxy-pw-7",   "mesh-key-7"};

struct Bundled {
  TreeForTest disk;
  Shop shop{disk.root() / "config", disk.root() / "data"};
  ToolBench bench{shop.clock};
  BundleDesk desk{
      shop.context, shop.field, shop.worker, bench, [] { return std::string("lightship_up 1\n"); },
      known};

  // As the program declares it, much shortened.
  static ConfigKeys known() {
    std::vector<config::Described> keys;
    config::Fields fields(keys);
    fields.section_with("communication", "", [](config::Fields& f) {
      f.section_with("mqtt_config", "", [](config::Fields& mqtt) {
        std::string host;
        config::Secret password;
        mqtt.value("host", host, "");
        mqtt.value("password", password, "");
      });
    });
    return {{"communication.yaml", keys}};
  }

  Bundled() {
    disk.file("/config/secrets.yaml", "mqtt: broker-pw-7\ntelegram: tele-token-7\n")
        .file("/config/communication.yaml",
              "communication:\n  # password: old-pw-7\n  mqtt_config:\n    host: a.example\n"
              "    password: inline-pw-7\n  api_endpoints:\n    electrical:\n      measurements:\n"
              "        url: https://me:url-pw-7@b.example/v1?api_key=query-key-7\n"
              "        headers:\n          Authorization: Bearer header-pw-7\n"
              "        proxy: http://x:proxy-pw-7@c.example\n  telegram: {bot_token: !secret "
              "telegram}\n")
        .file("/config/secrets.old.yaml", "mqtt: old-pw-7\n")
        .file("/config/mesh.yaml", "meshtastic: [{channel_keys: {LongFast: mesh-key-7}}]\n")
        .file("/config/client.key", "header-pw-7")
        .file("/data/audit.jsonl", "{\"event\":\"write\",\"note\":\"broker-pw-7\"}\n")
        .file("/data/learned.json", "{}")
        .file("/data/users.json", "header-pw-7");
    std::filesystem::permissions(disk.root() / "config/secrets.yaml", std::filesystem::perms(0600));
    Log(shop.book, "mqtt").warn("refused", lightship::field("why", "inline-pw-7 was wrong"));
    Log(shop.book, "http")
        .warn("refused", lightship::field("url", "https://me:url-pw-7@b.example/"));
    Log(shop.book, "mesh").warn("refused", lightship::field("why", "mesh-key-7 was wrong"));
    shop.router.add({"GET", "/api/status", Role::viewer, [](const Call&) -> Task<Response> {
                       co_return json_answer("{\"error\":\"tele-token-7\"}");
                     }});
    shop.router.add({"GET", "/api/diag/time", Role::viewer, [](const Call&) -> Task<Response> {
                       co_return problem(503, "Service Unavailable", "no clock");
                     }});
    add_bundle(shop.router, desk);
  }
  std::map<std::string, std::string> get() {
    const auto answer = shop.ask(shop.router, "/api/diag/bundle");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "application/gzip");
    const auto tar = link::gunzip(shop.all_pieces(answer), 64 << 20);
    EXPECT_TRUE(tar.has_value());
    return unpacked(std::string(tar->begin(), tar->end()));
  }
};

TEST(Bundle, HasWhatHelpsAndNamesWhatIsMissing) {
  Bundled all;
  auto files = all.get();
  for (const char* name : {"version.txt", "config/communication.yaml", "data.txt", "audit.jsonl",
                           "learned.json", "log.jsonl", "metrics.txt", "status.json"})
    EXPECT_TRUE(files.contains(std::string("lightship-support/") + name)) << name;
  EXPECT_NE(files["lightship-support/missing.txt"].find("time.json: 503"), std::string::npos);
  EXPECT_NE(
      files["lightship-support/missing.txt"].find("config/mesh.yaml: it is none of the files"),
      std::string::npos);
  EXPECT_NE(files["lightship-support/data.txt"].find("users.json"), std::string::npos);
  EXPECT_NE(files["lightship-support/config/communication.yaml"].find("host: \"a.example\""),
            std::string::npos);
  EXPECT_EQ(files["lightship-support/metrics.txt"], "lightship_up 1\n");
}

TEST(Bundle, HasNoSecretInAnyOfItsFiles) {
  Bundled all;
  for (const auto& [name, content] : all.get()) {
    for (const char* secret : kSecrets)
      EXPECT_EQ(content.find(secret), std::string::npos) << secret << " in " << name << content;
    EXPECT_EQ(name.find("secret"), std::string::npos);
    EXPECT_FALSE(name.ends_with(".key"));
    EXPECT_FALSE(name.ends_with("users.json"));
  }
}

TEST(Bundle, IsForAdministrators) {
  Bundled all;
  all.shop.gate.caller.role = Role::operate;
  EXPECT_EQ(all.shop.ask(all.shop.router, "/api/diag/bundle").status, 403);
}

TEST(Bundle, WithoutDisksHasTheRest) {
  Shop shop("/nowhere", "");
  ToolBench bench(shop.clock);
  BundleDesk desk{shop.context,
                  shop.field,
                  shop.worker,
                  bench,
                  [] { return std::string(); },
                  [] { return ConfigKeys(); }};
  add_bundle(shop.router, desk);
  const auto tar =
      link::gunzip(shop.all_pieces(shop.ask(shop.router, "/api/diag/bundle")), 64 << 20);
  ASSERT_TRUE(tar);
  EXPECT_TRUE(
      unpacked(std::string(tar->begin(), tar->end())).contains("lightship-support/version.txt"));
}

}  // namespace
}  // namespace lightship::portal
