// Writes of clients: who may, where they go, what is answered, and in which order.
#include "sinks/modbus_gateway/served_for_test.h"

namespace lightship::gateway {
namespace {

using namespace std::chrono_literals;

class FakeWriter final : public RegisterWriter {
 public:
  explicit FakeWriter(Clock& clock) : clock_(clock) {}
  Task<Result<Written>> write_point(DeviceId, PointWrite, Duration) override {
    co_return fail(Errc::invalid, "not asked for here");
  }
  Task<Result<ByteVector>> write_registers(DeviceId, ByteVector pdu, std::string by,
                                           Duration limit) override {
    taken.push_back(to_hex(pdu));
    asked_by = std::move(by);
    co_await clock_.sleep_for(std::min(pause, limit));
    if (pause >= limit) co_return fail(Errc::timeout, "silent");
    if (error) co_return fail(*error);
    co_return ByteVector(pdu.begin(), pdu.begin() + 5);
  }
  std::vector<std::string> taken;
  std::string asked_by;
  std::optional<Error> error;
  Duration pause = 100ms;

 private:
  Clock& clock_;
};

struct Writable : Served {
  Writable() : writer(house.clock) {
    auto info = house.catalog.info(meter);
    info.allow_write = true;
    house.catalog.device(info);
    house.owners.enter(meter, writer);
  }
  ~Writable() { house.owners.leave(meter, writer); }
  void pass(std::chrono::nanoseconds time) {
    for (int i = 0; i < 8; ++i) turn();
    house.clock.advance(time);
  }
  FakeWriter writer;
};

constexpr std::string_view kWrite = "00 07 00 00 00 06 0B 06 00 64 00 2A";
constexpr std::string_view kWritten = "00 07 00 00 00 06 0B 06 00 64 00 2A";

TEST(GatewayWrite, GoesToTheDeviceAndItsAnswerComesBack) {
  Writable served;
  Client client(served);
  client.send(kWrite);
  served.pass(100ms);
  EXPECT_EQ(client.receive(12), kWritten);
  EXPECT_EQ(served.writer.taken, std::vector<std::string>{"06 00 64 00 2A"});
  EXPECT_EQ(served.writer.asked_by, "modbus gateway, 127.0.0.1");
}

TEST(GatewayWrite, IsAnUnknownFunctionWhereTheDeviceAllowsNone) {
  Served served;
  Client client(served);
  client.send("00 07 00 00 00 06 0B 06 00 64 00 2A");
  EXPECT_EQ(client.receive(9), "00 07 00 00 00 03 0B 86 01");
  client.send("00 08 00 00 00 09 0B 10 00 64 00 01 02 00 2A");
  EXPECT_EQ(client.receive(9), "00 08 00 00 00 03 0B 90 01");
}

TEST(GatewayWrite, IsCheckedBeforeItIsPassedOn) {
  Writable served;
  Client client(served);
  client.send("00 01 00 00 00 06 63 06 00 64 00 2A");  // nobody's unit
  EXPECT_EQ(client.receive(9), "00 01 00 00 00 03 63 86 0A");
  client.send("00 02 00 00 00 06 0B 05 00 64 12 34");  // neither on nor off
  EXPECT_EQ(client.receive(9), "00 02 00 00 00 03 0B 85 03");
  client.send("00 03 00 00 00 07 0B 10 00 64 00 00 00");  // none at all
  EXPECT_EQ(client.receive(9), "00 03 00 00 00 03 0B 90 03");
  client.send("00 04 00 00 00 0B 0B 10 FF FF 00 02 04 00 01 00 02");  // past the end
  EXPECT_EQ(client.receive(9), "00 04 00 00 00 03 0B 90 02");
  client.send("00 05 00 00 00 02 0B 07");  // no function of ours
  EXPECT_EQ(client.receive(9), "00 05 00 00 00 03 0B 87 01");
  EXPECT_TRUE(served.writer.taken.empty());
}

TEST(GatewayWrite, IsAnsweredWithTheReasonWhyNot) {
  Writable served;
  Client client(served);
  const auto answer_to = [&](Error error) {
    served.writer.error = std::move(error);
    client.send(kWrite);
    served.pass(100ms);
    return client.receive(9);
  };
  EXPECT_EQ(answer_to({Errc::refused, "out of range", 3}), "00 07 00 00 00 03 0B 86 03");
  EXPECT_EQ(answer_to({Errc::refused, "device failure", 4}), "00 07 00 00 00 03 0B 86 04");
  EXPECT_EQ(answer_to({Errc::timeout, "silent", 0}), "00 07 00 00 00 03 0B 86 0B");
  EXPECT_EQ(answer_to({Errc::unavailable, "no line", 0}), "00 07 00 00 00 03 0B 86 0A");
}

TEST(GatewayWrite, KeepsTheOrderOfItsClientAndStopsNobodyElse) {
  Writable served;
  Client writer(served), reader(served);
  writer.send(kWrite);
  writer.send("00 09 00 00 00 06 0B 03 00 65 00 01");
  served.pass(0ms);
  reader.send("00 0A 00 00 00 06 0B 03 00 64 00 01");
  EXPECT_EQ(reader.receive(11), "00 0A 00 00 00 05 0B 03 02 00 01");
  served.pass(100ms);
  EXPECT_EQ(writer.receive(23), std::string(kWritten) + " 00 09 00 00 00 05 0B 03 02 00 02");
}

TEST(GatewayWrite, IsDoneAsOftenAsItIsAsked) {
  Writable served;
  Client one(served), other(served);
  one.send(kWrite);
  other.send(kWrite);
  served.pass(100ms);
  served.pass(100ms);
  EXPECT_EQ(one.receive(12), kWritten);
  EXPECT_EQ(other.receive(12), kWritten);
  EXPECT_EQ(served.writer.taken.size(), 2U);
}

TEST(GatewayWrite, OfAClientThatHasGoneIsNotSent) {
  Writable served;
  Client first(served);
  first.send(kWrite);
  served.pass(0ms);
  {
    Client second(served);
    second.send("00 0B 00 00 00 06 0B 06 00 64 00 2B");
    served.pass(0ms);
  }
  ASSERT_TRUE(served.until([&] { return served.clients() == 1; }));
  served.pass(100ms);
  served.pass(100ms);
  EXPECT_EQ(served.writer.taken.size(), 1U);
}

}  // namespace
}  // namespace lightship::gateway
