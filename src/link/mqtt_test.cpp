// The client against a real mosquitto on the loopback.
#include "link/mqtt.h"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/executor_work_guard.hpp>

#include "link/testing/mosquitto.h"
#include "link/testing/on_loop.h"

namespace lightship::link {
namespace {

using namespace std::chrono_literals;
using testing::Certificates;
using ::testing::HasSubstr;
using testing::Mosquitto;

#define NEEDS_MOSQUITTO()                                    \
  if (!Mosquitto::installed())                               \
  GTEST_SKIP() << "mosquitto is not installed (apt install " \
                  "mosquitto)"

struct Desk {
  asio::io_context loop;
  asio::executor_work_guard<asio::io_context::executor_type> open{loop.get_executor()};

  std::unique_ptr<MqttClient> client(MqttSettings settings) {
    auto made = MqttClient::create(loop.get_executor(), std::move(settings));
    EXPECT_TRUE(made) << made.error().text;
    return made ? std::move(*made) : nullptr;
  }
  Result<void> connect(MqttClient& client) { return on_loop(loop, client.connect()); }
  Error refusal(MqttSettings settings) {
    auto made = client(std::move(settings));
    auto result = connect(*made);
    EXPECT_FALSE(result);
    return result ? Error{} : result.error();
  }
  void rest(std::chrono::milliseconds pause) {
    loop.restart();
    loop.run_for(pause);
  }
  template <class Until>
  bool wait(Until until, std::chrono::seconds limit = 10s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!until() && std::chrono::steady_clock::now() < end) rest(2ms);
    return until();
  }
  template <class T>
  Result<void> publish(MqttClient& client, T topic, std::string payload, int qos = 1,
                       bool retain = false) {
    return on_loop(loop, client.publish(topic, std::move(payload), qos, retain));
  }
};

MqttSettings at(const Mosquitto& broker) {
  return {.host = "127.0.0.1", .port = broker.port(), .client_id = "test"};
}

// asio::co_spawn needs a value to give back.
Task<int> goodbye(MqttClient& client, std::chrono::milliseconds grace) {
  co_await client.disconnect(grace);
  co_return 0;
}

class Versions : public ::testing::TestWithParam<MqttSettings::Version> {};
INSTANTIATE_TEST_SUITE_P(
    Mqtt, Versions, ::testing::Values(MqttSettings::Version::v3_1_1, MqttSettings::Version::v5),
    [](const auto& which) { return which.param == MqttSettings::Version::v5 ? "v5" : "v3_1_1"; });

TEST_P(Versions, PublishesAndSaysGoodbye) {
  NEEDS_MOSQUITTO();
  Mosquitto broker;
  auto listener = broker.subscribe("#");
  Desk desk;
  auto settings = at(broker);
  settings.version = GetParam();
  settings.will = MqttWill{"status", "offline", 0, false};
  auto client = desk.client(settings);
  EXPECT_FALSE(client->connected());
  auto connected = desk.connect(*client);
  ASSERT_TRUE(connected) << connected.error().text;
  EXPECT_TRUE(client->connected());

  EXPECT_TRUE(desk.publish(*client, "a/0", "zero", 0));
  EXPECT_TRUE(desk.publish(*client, "a/1", "one", 1));
  EXPECT_TRUE(desk.publish(*client, "a/2", std::string("\0\1", 2), 1));
  on_loop(desk.loop, goodbye(*client, 100ms));

  EXPECT_FALSE(client->connected());
  EXPECT_TRUE(desk.wait([&] { return listener.lines().size() >= 3; }));
  desk.rest(50ms);
  EXPECT_EQ(listener.lines(),
            (std::vector<std::string>{"a/0 zero", "a/1 one", "a/2 " + std::string("\0\1", 2)}));
}

TEST_P(Versions, AcknowledgesAThousandInOrderWithAWindow) {
  NEEDS_MOSQUITTO();
  Mosquitto broker;
  auto listener = broker.subscribe("n");
  Desk desk;
  auto settings = at(broker);
  settings.version = GetParam();
  auto client = desk.client(settings);
  ASSERT_TRUE(desk.connect(*client));

  constexpr int kMessages = 1000;
  std::vector<int> acknowledged;
  int sent = 0;
  std::size_t most_open = 0;
  const auto fill = [&] {
    for (; sent < kMessages && client->open_publishes() < 64; ++sent)
      client->publish_async("n", std::to_string(sent), 1, false,
                            [&acknowledged, number = sent](Result<void> result) {
                              if (result) acknowledged.push_back(number);
                            });
    most_open = std::max(most_open, client->open_publishes());
  };
  EXPECT_TRUE(desk.wait([&] {
    fill();
    return acknowledged.size() == kMessages;
  }));

  EXPECT_EQ(most_open, 64u);
  EXPECT_TRUE(std::ranges::is_sorted(acknowledged));
  EXPECT_TRUE(desk.wait([&] { return listener.lines().size() == kMessages; }));
  for (int i = 0; i < kMessages; ++i)
    ASSERT_EQ(listener.lines()[static_cast<std::size_t>(i)], fmt::format("n {}", i));
}

TEST_P(Versions, FailsWhatIsOpenWhenTheBrokerDies) {
  NEEDS_MOSQUITTO();
  Mosquitto broker;
  Desk desk;
  auto settings = at(broker);
  settings.version = GetParam();
  auto client = desk.client(settings);
  ASSERT_TRUE(desk.connect(*client));

  broker.freeze();  // takes the bytes, answers nothing
  std::vector<std::pair<int, Errc>> ended;
  for (int i = 0; i < 100; ++i)
    client->publish_async("n", std::string(100, 'x'), 1, false, [&ended, i](Result<void> result) {
      ended.emplace_back(i, result ? Errc::invalid : result.error().code);
    });
  desk.rest(50ms);
  EXPECT_TRUE(ended.empty());
  EXPECT_EQ(client->open_publishes(), 100u);
  broker.kill();

  auto why = on_loop(desk.loop, client->lost());
  EXPECT_EQ(why.code, Errc::closed);
  EXPECT_EQ(why.text, "the connection was lost");
  EXPECT_FALSE(client->connected());
  ASSERT_EQ(ended.size(), 100u);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(ended[static_cast<std::size_t>(i)], std::pair(i, Errc::closed));

  // And again, when the broker is back.
  broker.start();
  ASSERT_TRUE(desk.connect(*client));
  EXPECT_TRUE(desk.publish(*client, "n", "again"));
}

TEST_P(Versions, SaysThatThePasswordIsWrong) {
  NEEDS_MOSQUITTO();
  Mosquitto broker({.user = "meter", .password = "right"});
  Desk desk;
  auto settings = at(broker);
  settings.version = GetParam();
  settings.username = "meter";
  settings.password = "wrong";
  const auto error = desk.refusal(settings);
  EXPECT_EQ(error.code, Errc::refused);
  EXPECT_THAT(error.text, HasSubstr("refused by the broker: not authorized"));
  EXPECT_EQ(error.detail, GetParam() == MqttSettings::Version::v5 ? 0x87 : 5);

  settings.password = "right";
  auto client = desk.client(settings);
  auto connected = desk.connect(*client);
  EXPECT_TRUE(connected) << connected.error().text;
}

TEST(Mqtt, RefusesToPublishBeforeItIsConnected) {
  Desk desk;
  auto client = desk.client({.host = "127.0.0.1", .port = 1});
  bool inside = true;
  std::optional<Error> error;
  client->publish_async("a", "b", 1, false, [&](Result<void> result) {
    EXPECT_FALSE(inside);
    error = result.error();
  });
  inside = false;
  desk.rest(10ms);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::closed);
}

TEST(Mqtt, RefusesATopicWithAWildcard) {
  Desk desk;
  auto client = desk.client({.host = "127.0.0.1", .port = 1});
  auto result = desk.publish(*client, "site/+/x", "b");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::invalid);
  EXPECT_EQ(result.error().text, "topic \"site/+/x\": the wildcard + is for subscriptions");
}

TEST(Mqtt, SaysThatNobodyListens) {
  Desk desk;
  const auto port = testing::free_port();
  const auto start = std::chrono::steady_clock::now();
  const auto error = desk.refusal({.host = "127.0.0.1", .port = port});
  EXPECT_EQ(error.code, Errc::unavailable);
  EXPECT_EQ(error.text,
            fmt::format("mqtt tcp://127.0.0.1:{0}: tcp 127.0.0.1:{0}: connection refused", port));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST(Mqtt, SaysThatTheNameHasNoAddress) {
  Desk desk;
  const auto error = desk.refusal({.host = "no-such-host.invalid", .connect_timeout = 8s});
  EXPECT_THAT(error.text,
              HasSubstr("mqtt tcp://no-such-host.invalid:1883: the name no-such-host.invalid"));
}

TEST(Mqtt, GivesUpAtItsLimitOnABrokerThatSaysNothing) {
  Desk desk;
  testing::SilentServer server;
  const auto start = std::chrono::steady_clock::now();
  const auto error =
      desk.refusal({.host = "127.0.0.1", .port = server.port(), .connect_timeout = 300ms});
  EXPECT_EQ(error.code, Errc::timeout);
  EXPECT_THAT(error.text, HasSubstr("no answer within 300 ms"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1500ms);
}

TEST(Mqtt, CanBeDestroyedWhileItConnects) {
  testing::SilentServer server;
  for (int i = 0; i < 20; ++i) {
    Desk desk;
    auto client = desk.client(
        {.host = "127.0.0.1", .port = server.port(), .use_tls = i % 2 == 1, .tls_verify = false});
    TaskGroup group(desk.loop.get_executor());
    group.spawn([](MqttClient& who) -> Task<void> { (void)co_await who.connect(); }(*client));
    desk.rest(std::chrono::milliseconds(i + 1));
    if (i % 3 == 0) group.cancel();
    client.reset();
    EXPECT_TRUE(desk.wait([&] { return group.running() == 0; })) << i;
  }
}

TEST(Mqtt, CanBeDestroyedWithPublishesOpen) {
  NEEDS_MOSQUITTO();
  Mosquitto broker;
  for (int i = 0; i < 6; ++i) {
    Desk desk;
    auto client = desk.client(at(broker));
    ASSERT_TRUE(desk.connect(*client));
    bool called = false;
    auto token = std::make_shared<int>(0);
    for (int n = 0; n < 200; ++n)
      client->publish_async("n", "x", 1, false, [&called, token](Result<void>) { called = true; });
    desk.rest(std::chrono::milliseconds(i % 4));
    called = false;
    client.reset();
    EXPECT_EQ(token.use_count(), 1);
    desk.rest(5ms);
    EXPECT_FALSE(called);
  }
}

TEST(Mqtt, LeavesItsWillWhenItIsCutOff) {
  NEEDS_MOSQUITTO();
  Mosquitto broker;
  auto listener = broker.subscribe("status");
  Desk desk;
  auto settings = at(broker);
  settings.will = MqttWill{"status", "offline", 1, true};
  auto client = desk.client(settings);
  ASSERT_TRUE(desk.connect(*client));

  // The same client id elsewhere: the broker cuts this session off, and the will goes out.
  auto second = desk.client({.host = "127.0.0.1", .port = broker.port(), .client_id = "test"});
  ASSERT_TRUE(desk.connect(*second));

  EXPECT_EQ(on_loop(desk.loop, client->lost()).code, Errc::closed);
  EXPECT_TRUE(
      desk.wait([&] { return listener.lines() == std::vector<std::string>{"status offline"}; }));
}

TEST(Mqtt, SaysWhyTheBrokerEndedTheSession) {
  // mosquitto closes too soon after its DISCONNECT for Paho to read it; this one takes its time.
  testing::ScriptedBroker broker({"20 03 00 00 00", "E0 02 8E 00"});
  Desk desk;
  auto client = desk.client(
      {.host = "127.0.0.1", .port = broker.port(), .version = MqttSettings::Version::v5});
  ASSERT_TRUE(desk.connect(*client));

  const auto why = on_loop(desk.loop, client->lost());
  EXPECT_EQ(why.code, Errc::closed);
  EXPECT_EQ(why.text, "the broker ended the session: session taken over");
  EXPECT_EQ(why.detail, 0x8E);
}

TEST(Mqtt, SaysWhyAPublishWasRefused) {
  testing::ScriptedBroker broker({"20 03 00 00 00", "40 03 00 01 87"});
  Desk desk;
  auto client = desk.client(
      {.host = "127.0.0.1", .port = broker.port(), .version = MqttSettings::Version::v5});
  ASSERT_TRUE(desk.connect(*client));
  std::optional<Result<void>> result;
  client->publish_async("a", "b", 1, false, [&](Result<void> answer) { result = answer; });
  ASSERT_TRUE(desk.wait([&] { return result.has_value(); }));
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code, Errc::refused);
  EXPECT_EQ(result->error().detail, 0x87);
  EXPECT_EQ(result->error().text, "refused by the broker: not authorized (135)");
  EXPECT_TRUE(client->connected());
}

TEST(Mqtt, KeepsToTheBrokersReceiveMaximum) {
  testing::ScriptedBroker broker({"20 06 00 00 03 21 00 02"});  // two at a time
  Desk desk;
  auto client = desk.client(
      {.host = "127.0.0.1", .port = broker.port(), .version = MqttSettings::Version::v5});
  ASSERT_TRUE(desk.connect(*client));
  for (int i = 0; i < 5; ++i) client->publish_async("a", "b", 1, false, [](Result<void>) {});
  desk.rest(300ms);
  EXPECT_EQ(client->open_publishes(), 5u);
  EXPECT_EQ(broker.heard_publishes(), 2u);
}

TEST(Mqtt, SpeaksWebSocket) {
  NEEDS_MOSQUITTO();
  Mosquitto broker({.websockets = true});
  if (!broker.running()) GTEST_SKIP() << "this mosquitto has no websockets";
  auto listener = broker.subscribe("#");
  Desk desk;
  auto settings = at(broker);
  settings.port = broker.websocket_port();
  settings.transport = MqttSettings::Transport::websockets;
  auto client = desk.client(settings);
  auto connected = desk.connect(*client);
  ASSERT_TRUE(connected) << connected.error().text;
  for (int i = 0; i < 50; ++i)
    EXPECT_TRUE(desk.publish(*client, "w", std::string(static_cast<std::size_t>(i) * 40, 'x')));
  EXPECT_TRUE(desk.wait([&] { return listener.lines().size() == 50; }));
}

TEST(Mqtt, SaysThatThereIsNoWebSocket) {
  NEEDS_MOSQUITTO();
  Mosquitto broker;
  Desk desk;
  auto settings = at(broker);
  settings.transport = MqttSettings::Transport::websockets;
  settings.path = "/elsewhere";
  settings.connect_timeout = 3s;
  const auto error = desk.refusal(settings);
  EXPECT_THAT(error.text, HasSubstr("no MQTT over WebSocket at path /elsewhere"));
}

TEST(Mqtt, ConnectsToAnIpv6Literal) {
  NEEDS_MOSQUITTO();
  Mosquitto broker({.address = "::1"});
  if (!broker.running()) GTEST_SKIP() << "no IPv6 on this machine";
  Desk desk;
  auto settings = at(broker);
  settings.host = "::1";
  auto client = desk.client(settings);
  auto connected = desk.connect(*client);
  EXPECT_TRUE(connected) << connected.error().text;
}

class MqttTls : public ::testing::Test {
 protected:
  void SetUp() override { NEEDS_MOSQUITTO(); }
  static MqttSettings secure(const Mosquitto& broker, const Certificates& files) {
    auto settings = at(broker);
    settings.host = "localhost";
    settings.use_tls = true;
    settings.ca_file = files.ca();
    settings.connect_timeout = 5s;
    return settings;
  }
  Desk desk;
};

TEST_F(MqttTls, ChecksTheBrokerAndShowsItsOwnCertificate) {
  Certificates files;
  Mosquitto broker({.tls = &files, .client_certificate = true});
  auto settings = secure(broker, files);
  settings.cert_file = files.client();
  settings.key_file = files.client_key();
  auto client = desk.client(settings);
  auto connected = desk.connect(*client);
  ASSERT_TRUE(connected) << connected.error().text;
  EXPECT_TRUE(desk.publish(*client, "a", "b"));
}

TEST_F(MqttTls, SaysThatTheBrokerWantsACertificate) {
  Certificates files;
  Mosquitto broker({.tls = &files, .client_certificate = true});
  const auto error = desk.refusal(secure(broker, files));
  EXPECT_EQ(error.code, Errc::unavailable);
  EXPECT_THAT(error.text, HasSubstr("TLS: "));
  EXPECT_THAT(error.text, HasSubstr("certificate required"));
}

TEST_F(MqttTls, SaysThatTheAuthorityIsUnknown) {
  Certificates files;
  Certificates others;
  Mosquitto broker({.tls = &files});
  auto settings = secure(broker, files);
  settings.ca_file = others.ca();
  const auto error = desk.refusal(settings);
  EXPECT_EQ(error.code, Errc::unavailable);
  EXPECT_THAT(error.text, HasSubstr("TLS: "));
  EXPECT_THAT(error.text, ::testing::AnyOf(HasSubstr("certificate signature failure"),
                                           HasSubstr("unable to get local issuer"),
                                           HasSubstr("self-signed certificate")));
}

TEST_F(MqttTls, SaysThatTheCertificateIsForAnotherName) {
  Certificates files;
  Mosquitto broker({.tls = &files});
  auto settings = secure(broker, files);
  settings.host = "127.0.0.1";
  const auto error = desk.refusal(settings);
  EXPECT_EQ(error.code, Errc::unavailable);
  EXPECT_THAT(error.text, HasSubstr("TLS: the certificate is for localhost, not for 127.0.0.1"));
}

TEST_F(MqttTls, AcceptsAnybodyWhenToldTo) {
  Certificates files;
  Mosquitto broker({.tls = &files});
  auto settings = secure(broker, files);
  settings.host = "127.0.0.1";
  settings.ca_file = "";
  settings.tls_verify = false;
  auto client = desk.client(settings);
  auto connected = desk.connect(*client);
  EXPECT_TRUE(connected) << connected.error().text;
}

TEST_F(MqttTls, SpeaksWebSocketInsideTls) {
  Certificates files;
  Mosquitto broker({.websockets = true, .tls = &files});
  if (!broker.running()) GTEST_SKIP() << "this mosquitto has no websockets";
  auto settings = secure(broker, files);
  settings.port = broker.websocket_port();
  settings.transport = MqttSettings::Transport::websockets;
  auto client = desk.client(settings);
  auto connected = desk.connect(*client);
  ASSERT_TRUE(connected) << connected.error().text;
  EXPECT_TRUE(desk.publish(*client, "a", std::string(70'000, 'x')));
}

TEST_F(MqttTls, SaysThatTheOtherEndSpeaksNoTls) {
  Certificates files;
  Mosquitto broker;
  const auto error = desk.refusal(secure(broker, files));
  EXPECT_EQ(error.code, Errc::unavailable);
  EXPECT_THAT(error.text, HasSubstr("TLS: "));
}

TEST(MqttSettings, RefusesWhatCannotWork) {
  const auto refused = [](auto change) {
    MqttSettings settings{.host = "broker.example"};
    change(settings);
    auto fine = check(settings);
    return fine ? "" : fine.error().text;
  };
  EXPECT_EQ(refused([](auto&) {}), "");
  EXPECT_EQ(refused([](auto& s) { s.host = ""; }), "no host is named");
  EXPECT_EQ(refused([](auto& s) { s.password = "x"; }),
            "a password without a username, which MQTT 3.1.1 does not allow");
  EXPECT_EQ(refused([](auto& s) { s.use_tls = true, s.ca_file = "/nowhere/ca.pem"; }),
            "ca_file /nowhere/ca.pem: no such file or directory");
  EXPECT_EQ(refused([](auto& s) { s.use_tls = true, s.host = "::1"; }),
            "host ::1 with tls_verify: Paho cannot check an IPv6 address, expected a name");
  EXPECT_EQ(refused([](auto& s) { s.will = MqttWill{"a/#", "", 0, false}; }),
            "will: topic \"a/#\": the wildcard # is for subscriptions");
}

TEST(MqttSettings, AreNamedByTheirUri) {
  EXPECT_EQ(describe(MqttSettings{.host = "broker"}), "mqtt tcp://broker:1883");
  EXPECT_EQ(describe(MqttSettings{.host = "::1",
                                  .port = 443,
                                  .transport = MqttSettings::Transport::websockets,
                                  .use_tls = true}),
            "mqtt wss://[::1]:443/mqtt");
}

}  // namespace
}  // namespace lightship::link
