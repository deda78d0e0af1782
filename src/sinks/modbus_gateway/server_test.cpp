// The gateway over real sockets: pieces, crowds, strangers and clients that do not take their
// answers.
#include "sinks/modbus_gateway/server.h"

#include <deque>

#include "sinks/modbus_gateway/listener.h"
#include "sinks/modbus_gateway/served_for_test.h"

namespace lightship::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAsk = "00 01 00 00 00 06 0B 03 00 64 00 02";
constexpr std::string_view kAnswer = "00 01 00 00 00 07 0B 03 04 00 01 00 02";
constexpr std::size_t kAnswerSize = 13;

TEST(GatewayServer, AnswersARead) {
  Served served;
  Client client(served);
  client.send(kAsk);
  EXPECT_EQ(client.receive(kAnswerSize), kAnswer);
  EXPECT_EQ(served.tally.bytes_in.value, 12U);
  EXPECT_EQ(served.tally.bytes_out.value, kAnswerSize);
}

TEST(GatewayServer, ARequestMayComeByteByByte) {
  Served served;
  Client client(served);
  for (const auto byte : hex(kAsk)) {
    client.send(Bytes(&byte, 1));
    served.turn();
  }
  EXPECT_EQ(client.receive(kAnswerSize), kAnswer);
}

TEST(GatewayServer, RequestsMayComeGluedAndAreAnsweredInOrder) {
  Served served;
  Client client(served);
  client.send(
      "00 01 00 00 00 06 0B 03 00 64 00 01 00 02 00 00 00 06 0B 03 00 65 00 01 00 03 00 00 00 06 "
      "0B");
  EXPECT_EQ(client.receive(22),
            "00 01 00 00 00 05 0B 03 02 00 01 00 02 00 00 00 05 0B 03 02 00 02");
  client.send("03 00 66 00 01");
  EXPECT_EQ(client.receive(11), "00 03 00 00 00 05 0B 03 02 00 03");
}

TEST(GatewayServer, HundredsOfRequestsMayBeInFlight) {
  Served served;
  Client client(served);
  ByteVector many;
  for (int i = 0; i < 2000; ++i) put_bytes(many, hex(kAsk));
  client.send(many);
  const auto answers = client.receive(2000 * kAnswerSize);
  EXPECT_EQ(answers.size(), 2000 * kAnswerSize * 3 - 1);
  EXPECT_TRUE(answers.ends_with(kAnswer));
}

TEST(GatewayServer, GarbageIsAnsweredByHangingUp) {
  Served served;
  Client client(served);
  client.send(kAsk);
  client.send("16 03 01 02 00 01 00 01 FC 03 03");  // the beginning of TLS
  EXPECT_EQ(client.receive(100), std::string(kAnswer) + "closed");
  EXPECT_EQ(served.tally.lost_framing.value, 1U);
  EXPECT_EQ(served.clients(), 0U);
}

TEST(GatewayServer, ClientsComeAndGo) {
  Served served;
  {
    Client one(served), two(served);
    EXPECT_TRUE(served.until([&] { return served.clients() == 2; }));
  }
  EXPECT_TRUE(served.until([&] { return served.clients() == 0; }));
  EXPECT_EQ(served.server.clients()->most_at_once(), 2U);
}

TEST(GatewayServer, OneClientTooManyIsTurnedAway) {
  auto config = local_config();
  config.max_clients = 2;
  Served served(config);
  Client one(served), two(served);
  EXPECT_TRUE(served.until([&] { return served.clients() == 2; }));
  Client three(served);
  EXPECT_TRUE(three.is_closed());
  EXPECT_EQ(served.tally.too_many.value, 1U);
  one.close();
  EXPECT_TRUE(served.until([&] { return served.clients() == 1; }));
  Client four(served);
  four.send(kAsk);
  EXPECT_EQ(four.receive(kAnswerSize), kAnswer);
}

TEST(GatewayServer, AStrangerIsNotAnswered) {
  auto config = local_config();
  config.allowed = {*AddressBlock::parse("10.0.0.0/8")};
  Served served(config);
  Client stranger(served);
  EXPECT_TRUE(stranger.is_closed());
  EXPECT_EQ(served.tally.not_allowed.value, 1U);
  EXPECT_EQ(served.server.clients()->refused_addresses().at("127.0.0.1"), 1U);
}

TEST(GatewayServer, AnIpv4ClientOfAnIpv6SocketIsKnownByItsIpv4Address) {
  auto config = local_config();
  config.host = "::";
  config.allowed = {*AddressBlock::parse("127.0.0.0/8")};
  Served served(config);
  if (served.server.port() == 0) GTEST_SKIP() << served.ended.text;
  Client client(served);
  client.send(kAsk);
  EXPECT_EQ(client.receive(kAnswerSize), kAnswer);
}

// Asks for 800 kB without reading any of it.
struct Glutton {
  static constexpr std::size_t kRequests = 10 * 300;
  explicit Glutton(Served& served) : client(served, 2048) {
    ByteVector request;
    for (int i = 0; i < 300; ++i) put_bytes(request, hex("00 01 00 00 00 06 0B 03 00 00 00 7D"));
    for (int i = 0; i < 10; ++i) {
      client.send(request);
      for (int turns = 0; turns < 4; ++turns) served.turn();
    }
  }
  Client client;
};

struct Feast : Served {
  Feast() {
    house.cache.image(meter).declare({{Space::holding, 0, 125}});
    house.read(meter, Space::holding, 0, 125, std::string(500, '0'));
  }
};

TEST(GatewayServer, ASlowClientBlocksNobodyAndIsNotReadAnyMore) {
  Feast served;
  const Glutton slow(served);
  const auto in = served.tally.bytes_in.value;
  served.turn();
  EXPECT_EQ(served.tally.bytes_in.value, in);
  EXPECT_LT(in, Glutton::kRequests * 12);

  Client quick(served);
  quick.send("00 01 00 00 00 06 0B 03 00 00 00 01");
  EXPECT_EQ(quick.receive(11), "00 01 00 00 00 05 0B 03 02 00 00");
}

TEST(GatewayServer, ASlowClientThatTakesItsAnswersGetsThemAll) {
  Feast served;
  Glutton slow(served);
  const auto answers = slow.client.receive(Glutton::kRequests * 259);
  EXPECT_EQ((answers.size() + 1) / 3, Glutton::kRequests * 259);
  EXPECT_EQ(served.clients(), 1U);
}

TEST(GatewayServer, AClientThatTakesNothingForHalfAMinuteIsClosed) {
  Feast served;
  const Glutton slow(served);
  served.house.clock.advance(29s);
  EXPECT_EQ(served.clients(), 1U);
  served.house.clock.advance(2s);
  EXPECT_EQ(served.clients(), 0U);
  EXPECT_EQ(served.tally.slow.value, 1U);
}

TEST(GatewayServer, AThousandClientsAreServed) {
  allow_descriptors(4096);
  Served served;
  std::deque<Client> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.emplace_back(served);
    if (i % 50 == 0) served.turn();
  }
  for (auto& client : clients) client.send(kAsk);
  for (auto& client : clients) ASSERT_EQ(client.receive(kAnswerSize), kAnswer);
  EXPECT_EQ(served.clients(), 1000U);
}

TEST(GatewayServer, ATakenPortSaysWhoHasIt) {
  Served first;
  auto config = local_config();
  config.port = first.server.port();
  const Served second(config);
  EXPECT_EQ(second.ended.code, Errc::unavailable);
  EXPECT_TRUE(second.ended.text.starts_with(
      fmt::format("another program listens on 127.0.0.1:{} (", config.port)))
      << second.ended.text;
  EXPECT_TRUE(second.ended.text.ends_with(fmt::format("pid {})", ::getpid()))) << second.ended.text;
}

TEST(GatewayServer, IsNotLateWhileItWaitsForAPort) {
  Served first;
  auto config = local_config();
  config.port = first.server.port();
  Served second(config);
  second.house.clock.advance(10min);
  EXPECT_TRUE(second.house.progress.late().empty());
  first.house.clock.advance(10min);
  EXPECT_TRUE(first.house.progress.late().empty());
}

TEST(GatewayServer, CanListenAgainAtOnceAfterItWasStopped) {
  auto config = local_config();
  {
    Served first(config);
    config.port = first.server.port();
    Client client(first);
    client.send(kAsk);
    EXPECT_EQ(client.receive(kAnswerSize), kAnswer);
  }
  Served second(config);
  EXPECT_EQ(second.ended.text, "");
  Client client(second);
  client.send(kAsk);
  EXPECT_EQ(client.receive(kAnswerSize), kAnswer);
}

TEST(GatewayServer, TellsHowItGoes) {
  Served served;
  Client client(served);
  client.send("00 01 00 00 00 06 0C 03 00 64 00 02");
  EXPECT_EQ(client.receive(9), "00 01 00 00 00 03 0C 83 0A");
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  served.server.describe_status(json);
  json.end_object();
  EXPECT_TRUE(text.starts_with(
      fmt::format("{{\"listening\":true,\"address\":\"127.0.0.1:{}\",\"devices\":1,"
                  "\"mapped_points\":0,\"clients\":1,\"most_clients\":1,\"requests\":1,"
                  "\"exceptions\":{{\"10\":1}},",
                  served.server.port())))
      << text;
  EXPECT_NE(served.house.metrics.prometheus().find(
                "lightship_modbus_gateway_clients{sink=\"modbus_gateway\"} 1"),
            std::string::npos);
}

}  // namespace
}  // namespace lightship::gateway
