// Secrets that must not get out, in every place where people put them.
#include "portal/diag/masker.h"

#include <gtest/gtest.h>

#include "portal/diag/tree_for_test.h"

namespace lightship::portal {
namespace {

TEST(Masker, AKeyThatIsCalledSecretLosesItsValue) {
  Masker masker;
  EXPECT_EQ(masker.yaml("mqtt_config:\n  host: a.example\n  password: hunter22\n  port: 1883\n"),
            "mqtt_config:\n  host: a.example\n  password: (masked)\n  port: 1883\n");
  EXPECT_EQ(masker.yaml("bot_token: \"x y\"  # mine"), "bot_token: (masked)");
  EXPECT_EQ(masker.yaml("- api-key: abcd"), "- api-key: (masked)");
  EXPECT_EQ(masker.yaml("#  password: oldone1"), "#  password: (masked)");
}

TEST(Masker, AReferenceStays) {
  EXPECT_EQ(Masker().yaml("password: !secret mqtt"), "password: !secret mqtt");
}

TEST(Masker, WhatLooksAlikeStays) {
  const char* text = "pass_through: true\nkey_file: client.key\nusername: user\nkeepalive: 60";
  EXPECT_EQ(Masker().yaml(text), text);
}

TEST(Masker, EverythingBelowSuchAKeyGoesToo) {
  Masker masker;
  EXPECT_EQ(masker.yaml("a:\n  headers:\n    X-Key: abcd1234\n    Authorization: Bearer q\n  b: 1"),
            "a:\n  headers: (masked)\n  b: 1");
  EXPECT_EQ(masker.yaml("password: |\n  line one\n  line two\nb: 1"), "password: (masked)\nb: 1");
  EXPECT_EQ(masker.yaml("tokens:\n- first1\n- second2\nb: 1"), "tokens: (masked)\nb: 1");
  EXPECT_EQ(masker.yaml("headers: {\n  A: first1\n}\nb: 1"), "headers: (masked)\nb: 1");
}

TEST(Masker, FindsKeysWithinBraces) {
  Masker masker;
  EXPECT_EQ(masker.yaml("m: {host: a, password: \"p,}w1\", port: 1, headers: {A: b, C: d}}"),
            "m: {host: a, password: (masked), port: 1, headers: (masked)}");
  EXPECT_EQ(masker.yaml("- {password: pw12}"), "- {password: (masked)}");
}

TEST(Masker, FollowsAnAliasToItsAnchor) {
  Masker masker;
  EXPECT_EQ(masker.yaml("x: &pw hunter22\npassword: *pw"), "x: &pw (masked)\npassword: (masked)");
  EXPECT_EQ(masker.sweep("it was hunter22."), "it was (masked).");
}

TEST(Masker, UrlsLoseUserPasswordAndKeys) {
  Masker masker;
  EXPECT_EQ(masker.yaml("url: https://user:p%40ss@a.example/x?id=1&api_key=q1w2&z=2"),
            "url: https://(masked)@a.example/x?id=1&api_key=(masked)&z=2");
  EXPECT_EQ(masker.sweep("at mqtt://me:a@b@host:1883 now"), "at mqtt://(masked)@host:1883 now");
  EXPECT_EQ(masker.sweep("http://a.example/@home"), "http://a.example/@home");
}

TEST(Masker, SweepsForWhatItHasLearned) {
  Masker masker;
  masker.yaml("password: pa\"ss1");
  masker.learn("abc");  // too short to be one
  EXPECT_EQ(masker.sweep(R"({"why":"pa\"ss1 was refused, abc"})"),
            R"({"why":"(masked) was refused, abc"})");
}

// As the bundle does it: learned, masked, swept. Empty: not given away.
std::string given(std::string_view text) {
  Masker masker;
  if (!masker.learn_file(text)) return {};
  auto shown = masker.sweep(masker.yaml(text));
  return masker.is_masked(shown) ? shown : std::string();
}

TEST(Masker, AFileTellsNoSecretHoweverItIsWritten) {
  for (const char* text : {
           "m: {host: x, username: u1, password:\n      hunter2leak, topics: {}}",
           "m: {host: x, headers: {\n  A: hunter2leak\n}, port: 1}",
           "? password\n: hunter2leak\nb: 1",
           "\"pass\\x77ord\": hunter2leak",
           "a: &pw\n  hunter2leak\npassword: *pw",
           "password: one\npassword: hunter2leak",
           "x: {token: [a, [hunter2leak]]}",
       }) {
    EXPECT_EQ(given(text).find("hunter2leak"), std::string::npos) << given(text);
  }
  // Too short to be swept for: the file is not given away.
  EXPECT_EQ(given("? password\n: x1\nb: 1"), "");
  EXPECT_EQ(given("a: [unclosed"), "");
}

TEST(Masker, AFileThatIsWellMaskedIsGiven) {
  EXPECT_EQ(given("mqtt_config:\n  host: a.example\n  password: hunter22\n  port: 1\n"),
            "mqtt_config:\n  host: a.example\n  password: (masked)\n  port: 1\n");
  EXPECT_EQ(given("m: {host: a, password: \"p,}w1\", port: 1}"),
            "m: {host: a, password: (masked), port: 1}");
}

TEST(Masker, KnowsWhatAFileTakesFromTheEnvironment) {
  ::setenv("LIGHTSHIP_TEST_BROKER", "from-outside-1", 1);
  TreeForTest all;
  Masker masker;
  masker.learn_secrets(all.root());
  EXPECT_TRUE(masker.learn_file("host: !env LIGHTSHIP_TEST_BROKER\n"));
  ::unsetenv("LIGHTSHIP_TEST_BROKER");
  EXPECT_EQ(masker.sweep("x from-outside-1 y"), "x (masked) y");
}

TEST(Masker, KnowsSecretsYaml) {
  TreeForTest all;
  all.file("/secrets.yaml", "mqtt: broker-pw-1\n");
  std::filesystem::permissions(all.root() / "secrets.yaml", std::filesystem::perms(0600));
  Masker masker;
  masker.learn_secrets(all.root());
  EXPECT_EQ(masker.sweep("x broker-pw-1 y"), "x (masked) y");
}

}  // namespace
}  // namespace lightship::portal
