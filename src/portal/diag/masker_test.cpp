// Secrets that must not get out, in every place where people put them.
#include "portal/diag/masker.h"

#include <gtest/gtest.h>

#include "portal/diag/tree_for_test.h"

namespace lightship::portal {
namespace {

TEST(Masker, KnowsWhatHidesByItsName) {
  for (const char* name :
       {"password", "mqtt_password", "bot_token", "api-key", "apiKey", "channel_keys",
        "channel_key", "pass", "pw", "key", "keys", "private_key", "headers", "proxy", "db.pwd",
        "SECRET", "discord_webhook_url", "username"})
    EXPECT_TRUE(Masker::is_name_of_secret(name)) << name;
  for (const char* name : {"host", "key_file", "pass_through", "keepalive", "ca_file", "passive",
                           "author", "topics", "sessions", "spin"})
    EXPECT_FALSE(Masker::is_name_of_secret(name)) << name;
}

TEST(Masker, KnowsWhatLooksLikeASecret) {
  for (const char* text :
       {"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "Bearer abcdef",
        "my password: hunter22", "token=a1", "1v7mJqf0aZ8hT3kLx5Qw9RtYbN2cVe4D",
        "0123456789abcdef0123456789abcdef", "123456789:AAFakeTokenOfABotThatIsNoneAtAll12",
        "me:hunter22@a.example", "eyJhbGciOiJIUzI1NiJ9.e30.x"})
    EXPECT_TRUE(Masker::looks_like_secret(text)) << text;
  for (const char* text :
       {"Main panel, switch room", "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
        "plants/{device_id}/energy/{connection_id}/{client_id}", "broker.example", "2001:db8::1",
        "https://b.example:8443/v1"})
    EXPECT_FALSE(Masker::looks_like_secret(text)) << text;
}

TEST(Masker, UrlsLoseUserPasswordAndAllBehindTheHost) {
  const Masker masker;
  EXPECT_EQ(masker.sweep("url: https://user:p%40ss@a.example/x?id=1&api_key=q1w2&z=2"),
            "url: https://(masked)@a.example/(masked)");
  EXPECT_EQ(masker.sweep("to https://hooks.example/services/T0/B0/abc, late"),
            "to https://hooks.example/(masked) late");
  EXPECT_EQ(masker.sweep(R"x({"url":"http://a.example/k1/","n":1})x"),
            R"x({"url":"http://a.example/(masked)","n":1})x");
  EXPECT_EQ(masker.sweep("at mqtt://me:a@b@host:1883 now"), "at mqtt://(masked)@host:1883 now");
  EXPECT_EQ(masker.sweep("GET /x?token=abc&n=1"), "GET /x?token=(masked)&n=1");
  EXPECT_EQ(masker.sweep("on http://127.0.0.1:8080 and http://a.example/"),
            "on http://127.0.0.1:8080 and http://a.example/");
}

TEST(Masker, SweepsKeysInPemAlsoInJson) {
  const Masker masker;
  EXPECT_EQ(
      masker.sweep("a\n-----BEGIN EC PRIVATE KEY-----\nMIIE\n-----END EC PRIVATE KEY-----\nb"),
      "a\n(masked)\nb");
  EXPECT_EQ(masker.sweep(R"x({"v":"-----BEGIN RSA KEY-----\nMIIE\n","n":1})x"),
            R"x({"v":"(masked)","n":1})x");
}

TEST(Masker, SweepsWhatStandsBehindItsName) {
  const Masker masker;
  EXPECT_EQ(masker.sweep("tried password=hunter22, refused"), "tried password=(masked), refused");
  EXPECT_EQ(masker.sweep(R"x({"password":"a b","token":5,"why":"Bearer abcdefgh"})x"),
            R"x({"password":"(masked)","token":5,"why":"Bearer (masked)"})x");
}

TEST(Masker, SweepsForWhatItHasLearned) {
  Masker masker;
  masker.learn("pa\"ss1");
  masker.learn("abc");  // too short to be one
  masker.learn("long-one-1");
  masker.learn("long-one-1-and-more");
  EXPECT_EQ(masker.sweep(R"x({"why":"pa\"ss1 was refused, abc"})x"),
            R"x({"why":"(masked) was refused, abc"})x");
  EXPECT_EQ(masker.sweep("x long-one-1-and-more y long-one-1"), "x (masked) y (masked)");
}

TEST(Masker, SweepsForTheSecretPartsOfAnAddress) {
  Masker masker;
  masker.learn_url("https://hooks.example/services/T0/abcdef123456xyz");
  EXPECT_EQ(masker.sweep("services/T0/abcdef123456xyz"), "services/T0/(masked)");
}

TEST(Masker, LearnsWhatAFileHidesHoweverItIsWritten) {
  for (const char* text : {
           "m: {host: x, password:\n      hunter2leak, topics: {}}",
           "m: {host: x, headers: {\n  A: hunter2leak\n}, port: 1}",
           "? password\n: hunter2leak\nb: 1",
           "\"pass\\x77ord\": hunter2leak",
           "a: &pw\n  hunter2leak\npassword: *pw",
           "password: one\npassword: hunter2leak",
           "x: {token: [a, [hunter2leak]]}",
           "meshtastic: [{channel_keys: {LongFast: hunter2leak}}]",
           "key: |\n  hunter2leak\n",
       }) {
    Masker masker;
    EXPECT_TRUE(masker.learn_file(text));
    EXPECT_EQ(masker.sweep("x hunter2leak y"), "x (masked) y") << text;
  }
  EXPECT_FALSE(Masker().learn_file("a: [unclosed"));
}

TEST(Masker, DoesNotSweepForAShortNameOfAUser) {
  Masker masker;
  masker.learn_file("username: mill-3\n");
  EXPECT_EQ(masker.sweep("plants/mill-3/energy"), "plants/mill-3/energy");
  masker.learn_file("username: A1B2C3D4E5F6G7H8I9\n");  // which is how some brokers take a token
  EXPECT_EQ(masker.sweep("x A1B2C3D4E5F6G7H8I9"), "x (masked)");
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
