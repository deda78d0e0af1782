// The listener against Debian's mosquitto.
#include "link/mqtt_listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "link/testing/mosquitto.h"
#include "link/testing/on_loop.h"

namespace lightship::link {
namespace {

using namespace std::chrono_literals;
using testing::Mosquitto;

class MqttListenerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access("/usr/sbin/mosquitto", X_OK) != 0 || ::access("/usr/bin/mosquitto_pub", X_OK) != 0)
      GTEST_SKIP() << "mosquitto is not installed";
  }
  std::unique_ptr<MqttListener> listen(std::uint16_t port) {
    auto made = MqttListener::create(loop.get_executor(),
                                     {.host = "127.0.0.1", .port = port, .connect_timeout = 2s},
                                     {"a/#", "b"}, [this](const MqttMessage& message) {
                                       heard.push_back(message.topic + " " + message.payload);
                                     });
    return std::move(*made);
  }
  void start(MqttListener& listener) {
    asio::co_spawn(loop, listener.run(),
                   [this](std::exception_ptr, Error error) { why = std::move(error); });
  }
  bool wait(const std::function<bool()>& until) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!until() && std::chrono::steady_clock::now() < limit) {
      loop.restart();
      loop.run_for(5ms);
    }
    return until();
  }
  static void publish(const Mosquitto& broker, const char* topic, const char* payload) {
    testing::Child({"/usr/bin/mosquitto_pub", "-h", "127.0.0.1", "-p",
                    std::to_string(broker.port()), "-t", topic, "-m", payload})
        .wait();
  }

  asio::io_context loop;
  std::vector<std::string> heard;
  std::optional<Error> why;
};

TEST_F(MqttListenerTest, HearsWhatItsFiltersNameInOrder) {
  Mosquitto broker;
  auto listener = listen(broker.port());
  start(*listener);
  ASSERT_TRUE(wait([&] { return listener->listening(); }));
  publish(broker, "a/1", "one");
  publish(broker, "c", "not asked for");
  publish(broker, "b", "two");
  EXPECT_TRUE(wait([&] { return heard.size() == 2; }));
  EXPECT_EQ(heard, (std::vector<std::string>{"a/1 one", "b two"}));
}

TEST_F(MqttListenerTest, EndsWhenTheBrokerDiesAndListensAgain) {
  Mosquitto broker;
  auto listener = listen(broker.port());
  start(*listener);
  ASSERT_TRUE(wait([&] { return listener->listening(); }));
  broker.kill();
  ASSERT_TRUE(wait([&] { return why.has_value(); }));
  EXPECT_EQ(why->code, Errc::closed);
  EXPECT_FALSE(listener->listening());

  broker.start();
  start(*listener);
  EXPECT_TRUE(wait([&] { return listener->listening(); }));
}

TEST_F(MqttListenerTest, SaysThatNobodyListens) {
  auto listener = listen(testing::free_port());
  start(*listener);
  ASSERT_TRUE(wait([&] { return why.has_value(); }));
  EXPECT_EQ(why->code, Errc::unavailable);
}

TEST_F(MqttListenerTest, GivesUpOnABrokerThatSaysNothing) {
  testing::SilentServer server;
  auto listener = listen(server.port());
  start(*listener);
  ASSERT_TRUE(wait([&] { return why.has_value(); }));
  EXPECT_EQ(why->code, Errc::timeout);
}

TEST_F(MqttListenerTest, CanBeDestroyedAtAnyTime) {
  Mosquitto broker;
  for (int i = 0; i < 20; ++i) {
    auto listener = listen(broker.port());
    start(*listener);
    loop.restart();
    loop.run_for(std::chrono::milliseconds(i));
    listener.reset();
    EXPECT_TRUE(wait([&] { return why.has_value(); }));
    why.reset();
  }
}

TEST(MqttListener, SpeaksNoTls) {
  asio::io_context loop;
  auto made = MqttListener::create(loop.get_executor(), {.host = "x", .use_tls = true}, {"#"},
                                   [](const MqttMessage&) {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, "mqtt ssl://x:1883: a listener speaks no TLS");
}

}  // namespace
}  // namespace lightship::link
