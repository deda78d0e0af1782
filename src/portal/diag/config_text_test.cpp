// A configuration file as the support bundle shows it.
#include "portal/diag/config_text.h"

#include <gtest/gtest.h>

#include "config/fields.h"

namespace lightship::portal {
namespace {

std::vector<config::Described> declared() {
  std::vector<config::Described> keys;
  config::Fields fields(keys);
  std::string host, username, label, key;
  int port = 0;
  config::Secret password;
  std::vector<std::string> topics;
  std::map<std::string, config::Secret> headers;
  fields.value("host", host, "");
  fields.value("port", port, "");
  fields.value("username", username, "");
  fields.value("password", password, "");
  fields.value("label", label, "");
  fields.value("url", label, "");
  fields.value("key", key, "");
  fields.value("key_file", key, "");
  fields.list("topics", topics, "");
  fields.map("headers", headers, "");
  fields.section_with("broker", "", [](config::Fields& f) {
    std::string inner;
    config::Secret secret;
    f.value("host", inner, "");
    f.value("password", secret, "");
  });
  return keys;
}

std::string shown(std::string_view text) {
  Masker masker;
  auto told = config_text(text, declared(), masker);
  return told ? masker.sweep(*told) : told.error().text;
}

TEST(ConfigText, ShowsWhatIsDeclaredAndNoSecret) {
  EXPECT_EQ(shown("host: a.example  # ours\nport: 1883\nlabel: \"Hall: 1\"\nkey_file: k.pem\n"
                  "topics: [a/b, c]\nbroker: {host: b.example}\n"),
            "host: \"a.example\"\nport: 1883\nlabel: \"Hall: 1\"\nkey_file: \"k.pem\"\n"
            "topics:\n  - \"a/b\"\n  - \"c\"\nbroker:\n  host: \"b.example\"\n");
}

TEST(ConfigText, MasksWhatIsDeclaredSecretAndWhatIsCalledOrLooksLikeOne) {
  EXPECT_EQ(shown("password: x1\nusername: mill-3\nkey: abc\nlabel: \"pw=abcd\"\n"
                  "headers: {Authorization: Bearer q}\nbroker: {password: x1}\n"),
            "password: (masked)\nusername: (masked)\nkey: (masked)\nlabel: (masked)\n"
            "headers:\n  Authorization: (masked)\nbroker:\n  password: (masked)\n");
  EXPECT_EQ(shown("url: https://me:pw@a.example/hooks/T0?k=1\n"),
            "url: \"https://(masked)@a.example/(masked)\"\n");
  EXPECT_EQ(shown("url: a.example/hooks/T0\n"), "url: (masked)\n");
}

TEST(ConfigText, TellsNothingOfWhatIsNotDeclared) {
  EXPECT_EQ(
      shown("passwrd: hunter22\nhunter22x: 1\nhost: a\n"),
      "passwrd: (masked)\nhost: \"a\"\n# 1 more: keys that are not known here, or not shown\n");
  EXPECT_EQ(shown("port: hunter22\nbroker: hunter22\n"), "port: (masked)\nbroker: (masked)\n");
}

TEST(ConfigText, HasNoSecretHoweverTheFileIsWritten) {
  for (const char* text : {
           "# old: password=hunter2leak\nhost: a\n",
           "port: 1 # token: hunter2leak\n",
           "key: |\n  -----BEGIN PRIVATE KEY-----\n  hunter2leak\n  -----END PRIVATE KEY-----\n",
           "label: |\n  -----BEGIN PRIVATE KEY-----\n  hunter2leak\n",
           "url: https://hooks.example/services/hunter2leak\n",
           "url: https://a.example/?x=hunter2leak\n",
           "channel_keys: {LongFast: hunter2leak}\n",
           "channel_key: hunter2leak\n",
           "pass: hunter2leak\npw: hunter2leak\n",
           "broker: {host: x, password:\n      hunter2leak}\n",
           "headers: {\n  A: hunter2leak\n}\n",
           "? password\n: hunter2leak\nhost: b\n",
           "\"pass\\x77ord\": hunter2leak",
           "label: &pw hunter2leak\npassword: *pw\n",
           "password: *pw\nlabel: &pw hunter2leak\n",
           "host: a\nhost: {password: hunter2leak}\n",
           "topics: [a, [hunter2leak]]\n",
           "topics: [a, {password: hunter2leak}]\n",
           "hunter2leak: 1\n",
           "base: &b {password: hunter2leak}\nbroker: {<<: *b}\n",
           "host: me:hunter2leak@a.example\n",
           "label: \"hunter2leak was it\"\npassword: hunter2leak\n",
           "password hunter2leak: x\n",
       })
    EXPECT_EQ(shown(text).find("hunter2leak"), std::string::npos) << text << "gives\n"
                                                                  << shown(text);
}

TEST(ConfigText, IsNothingOfWhatIsNoYaml) {
  EXPECT_EQ(shown("a: [hunter2leak"), "it is no YAML, so nobody knows where its secrets are");
}

}  // namespace
}  // namespace lightship::portal
