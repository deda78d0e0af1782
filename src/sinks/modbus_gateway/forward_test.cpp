// Pass-through: the device is asked once, in turn, and only while somebody waits.
#include "sinks/modbus_gateway/forward.h"

#include "sinks/modbus_gateway/served_for_test.h"

namespace lightship::gateway {
namespace {

using namespace std::chrono_literals;

// A line that answers after a while: each register holds its own address.
class FakeLine final : public RegisterReader {
 public:
  FakeLine(Clock& clock, Duration pause) : clock_(clock), pause_(pause) {}
  Task<Result<ByteVector>> read_registers(DeviceId, Space, std::uint16_t first, std::uint16_t count,
                                          Duration limit) override {
    asked.push_back(first);
    co_await clock_.sleep_for(std::min(pause_, limit));
    if (pause_ >= limit) co_return fail(Errc::timeout, "silent");
    if (exception != 0) co_return std::unexpected(Error{Errc::refused, "", exception});
    ByteVector data;
    for (int i = 0; i < count; ++i) put_u16(data, static_cast<std::uint16_t>(first + i));
    co_return data;
  }
  std::vector<int> asked;
  int exception = 0;

 private:
  Clock& clock_;
  Duration pause_;
};

GatewayConfig passing() {
  auto config = local_config();
  config.pass_through = true;
  return config;
}

struct Asked : Served {
  explicit Asked(Duration pause = 100ms) : Served(passing()), line(house.clock, pause) {
    house.owners.enter(meter, line);
  }
  void settle() {
    for (int i = 0; i < 8; ++i) turn();
  }
  FakeLine line;
};

constexpr std::string_view kAsk110 = "00 07 00 00 00 06 0B 03 00 6E 00 01";
constexpr std::string_view kAnswer110 = "00 07 00 00 00 05 0B 03 02 00 6E";

TEST(GatewayPassThrough, TheDeviceAnswersWhatTheCacheCannot) {
  Asked served;
  Client client(served);
  client.send(kAsk110);
  served.settle();
  served.house.clock.advance(100ms);
  EXPECT_EQ(client.receive(11), kAnswer110);
  EXPECT_EQ(served.line.asked, std::vector<int>{110});
}

TEST(GatewayPassThrough, TheSameReadOfManyClientsIsAskedOnce) {
  Asked served;
  Client one(served), two(served), three(served);
  for (auto* client : {&one, &two, &three}) client->send(kAsk110);
  EXPECT_TRUE(served.until([&] { return served.tally.joined.value == 2; }));
  served.house.clock.advance(100ms);
  for (auto* client : {&one, &two, &three}) EXPECT_EQ(client->receive(11), kAnswer110);
  EXPECT_EQ(served.line.asked, std::vector<int>{110});
}

TEST(GatewayPassThrough, OthersAreAnsweredFromTheCacheMeanwhile) {
  Asked served;
  Client patient(served), quick(served);
  patient.send(kAsk110);
  served.settle();
  quick.send("00 01 00 00 00 06 0B 03 00 64 00 01");
  EXPECT_EQ(quick.receive(11), "00 01 00 00 00 05 0B 03 02 00 01");
}

TEST(GatewayPassThrough, AnswersOfOneClientKeepTheOrderOfItsRequests) {
  Asked served;
  Client client(served);
  client.send("00 01 00 00 00 06 0B 03 00 64 00 01");
  client.send(kAsk110);
  client.send("00 09 00 00 00 06 0B 03 00 65 00 01");
  EXPECT_EQ(client.receive(11), "00 01 00 00 00 05 0B 03 02 00 01");
  served.settle();
  served.house.clock.advance(100ms);
  EXPECT_EQ(client.receive(22), std::string(kAnswer110) + " 00 09 00 00 00 05 0B 03 02 00 02");
}

TEST(GatewayPassThrough, ReadsOfOneDeviceAreAskedInTurn) {
  Asked served;
  Client one(served), two(served);
  one.send(kAsk110);
  served.settle();
  two.send("00 01 00 00 00 06 0B 03 03 E8 00 01");
  served.settle();
  EXPECT_EQ(served.line.asked, std::vector<int>{110});
  served.house.clock.advance(100ms);
  served.settle();
  EXPECT_EQ(served.line.asked, (std::vector<int>{110, 1000}));
  served.house.clock.advance(100ms);
  EXPECT_EQ(two.receive(11), "00 01 00 00 00 05 0B 03 02 03 E8");
}

TEST(GatewayPassThrough, WhoeverWentAwayIsNotAskedFor) {
  Asked served;
  Client one(served), two(served);
  one.send(kAsk110);
  served.settle();
  two.send("00 01 00 00 00 06 0B 03 03 E8 00 01");
  EXPECT_TRUE(served.until([&] { return served.server.clients()->forwarder().waiting() == 2; }));
  two.close();
  EXPECT_TRUE(served.until([&] { return served.clients() == 1; }));
  served.house.clock.advance(1s);
  EXPECT_EQ(one.receive(11), kAnswer110);
  EXPECT_EQ(served.line.asked, std::vector<int>{110});
}

TEST(GatewayPassThrough, ASilentDeviceIsGivenUp) {
  Asked served(1h);
  Client client(served);
  client.send(kAsk110);
  served.settle();
  served.house.clock.advance(5s);
  EXPECT_EQ(client.receive(9), "00 07 00 00 00 03 0B 83 0B");
}

TEST(GatewayPassThrough, TheTimeInTheQueueCounts) {
  Asked served(1h);
  Client one(served), two(served);
  one.send(kAsk110);
  two.send("00 01 00 00 00 06 0B 03 03 E8 00 01");
  EXPECT_TRUE(served.until([&] { return served.server.clients()->forwarder().waiting() == 2; }));
  served.house.clock.advance(5s);
  EXPECT_EQ(one.receive(9), "00 07 00 00 00 03 0B 83 0B");
  EXPECT_EQ(two.receive(9), "00 01 00 00 00 03 0B 83 0B");
  EXPECT_EQ(served.line.asked, std::vector<int>{110});
}

TEST(GatewayPassThrough, TheExceptionOfTheDeviceIsPassedOn) {
  Asked served;
  served.line.exception = 6;
  Client client(served);
  client.send(kAsk110);
  served.settle();
  served.house.clock.advance(100ms);
  EXPECT_EQ(client.receive(9), "00 07 00 00 00 03 0B 83 06");
}

TEST(GatewayPassThrough, WithoutAnOwnerThereIsNoPath) {
  Served served(passing());
  Client client(served);
  client.send(kAsk110);
  EXPECT_EQ(client.receive(9), "00 07 00 00 00 03 0B 83 0A");
}

TEST(GatewayPassThrough, ADeviceWithTooMuchToDoIsNoPathEither) {
  Asked served;
  std::deque<Client> many;
  for (std::size_t i = 0; i < Forwarder::kQueue; ++i) {
    const auto first = static_cast<std::uint8_t>(i);
    const std::uint8_t request[] = {0, 1, 0, 0, 0, 6, 0x0B, 3, 3, first, 0, 1};
    many.emplace_back(served).send(Bytes(request));
  }
  EXPECT_TRUE(served.until(
      [&] { return served.server.clients()->forwarder().waiting() == Forwarder::kQueue; }));
  Client late(served);
  late.send(kAsk110);
  EXPECT_EQ(late.receive(9), "00 07 00 00 00 03 0B 83 0A");
}

TEST(GatewayPassThrough, CanBeStoppedWhileADeviceIsAsked) {
  Asked served;
  Client client(served);
  client.send(kAsk110);
  served.settle();
  EXPECT_EQ(served.line.asked.size(), 1U);
}

}  // namespace
}  // namespace lightship::gateway
