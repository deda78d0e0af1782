// Modbus TCP against a peer that keeps no rules: every malformed TCP answer of the golden vectors.
#include "sources/modbus/mbap_conversation.h"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/json.hpp>

#include "base/hex.h"
#include "link/tcp.h"
#include "link/testing/on_loop.h"

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

struct Pair {
  asio::io_context loop;
  SystemClock clock;
  int peer = -1;
  std::unique_ptr<MbapConversation> conversation;
  TaskGroup serving{loop.get_executor()};
  std::vector<ByteVector> pieces;
  bool hangs_up = false;

  Pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    peer = ends[1];
    conversation = std::make_unique<MbapConversation>(
        std::make_unique<link::TcpLine>(loop.get_executor(), clock, ends[0], "test"), clock,
        loop.get_executor());
    serving.spawn(conversation->serve());
  }
  ~Pair() {
    conversation->close();
    ::close(peer);
    serving.cancel();
    loop.restart();
    loop.run_for(1s);
  }
  // Said once the request has come.
  void say(std::string_view text) { pieces.push_back(hex(text)); }
  void hang_up() { hangs_up = true; }

  static Task<void> answer(Pair& pair) {
    ByteVector request(64);
    while (::recv(pair.peer, request.data(), request.size(), 0) < 0)
      co_await pair.clock.sleep_for(1ms);
    for (const auto& piece : pair.pieces) {
      EXPECT_EQ(::send(pair.peer, piece.data(), piece.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(piece.size()));
      co_await pair.clock.sleep_for(1ms);
    }
    pair.pieces.clear();
    if (pair.hangs_up) ::shutdown(pair.peer, SHUT_RDWR);
  }
  static Task<Result<ByteVector>> ask(Pair& pair, Tally& tally, Duration patience) {
    pair.serving.spawn(answer(pair));
    co_return co_await pair.conversation->ask(
        {1, modbus::Read{modbus::Function::read_holding_registers, 0, 2}, patience, patience},
        tally);
  }
};

TEST(MbapConversation, TakesEveryMalformedVectorAsItsVerdictSays) {
  std::ifstream file(LIGHTSHIP_SOURCE_DIR "/tests/vectors/modbus.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto tree = boost::json::parse(text);
  int tried = 0;
  for (const auto& entry : tree.at("malformed").as_array()) {
    if (entry.at("transport").as_string() != "tcp" || entry.at("side").as_string() != "response")
      continue;
    const std::string id(entry.at("id").as_string()), verdict(entry.at("verdict").as_string());
    Pair pair;
    if (entry.at("frame").is_array()) {
      for (const auto& piece : entry.at("frame").as_array())
        pair.say(std::string_view(piece.as_string()));
    } else {
      pair.say(std::string_view(entry.at("frame").as_string()));
    }
    if (id == "mal-tcp-short") pair.hang_up();
    Tally tally;
    const auto answer = link::on_loop(pair.loop, Pair::ask(pair, tally, 60ms));
    ++tried;
    if (verdict.starts_with("accept")) {
      ASSERT_TRUE(answer) << id << ": " << answer.error().text;
      EXPECT_EQ(to_hex(*answer), "03 04 10 00 11 01") << id;
    } else if (verdict == "close the connection") {
      EXPECT_FALSE(answer) << id;
      EXPECT_FALSE(pair.conversation->alive()) << id;
    } else {
      ASSERT_FALSE(answer) << id;
      if (verdict == "reject: unit") EXPECT_EQ(tally.rejects.unit, 1u) << id;
      if (verdict == "reject: function") EXPECT_EQ(tally.rejects.function, 1u) << id;
      if (verdict == "reject: length") EXPECT_EQ(tally.rejects.length, 1u) << id;
      if (verdict.starts_with("ignore")) EXPECT_EQ(answer.error().code, Errc::timeout) << id;
    }
  }
  EXPECT_EQ(tried, 12);
}

TEST(MbapConversation, CountsALateAnswerAndGivesItToNobody) {
  Pair pair;
  Tally first, second;
  const auto lost = link::on_loop(pair.loop, Pair::ask(pair, first, 20ms));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Errc::timeout);
  pair.say("0001 0000 0007 01 03 04 0009 0009");  // to the first, given up
  pair.say("0002 0000 0007 01 03 04 1000 1101");
  const auto answer = link::on_loop(pair.loop, Pair::ask(pair, second, 1s));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(to_hex(*answer), "03 04 10 00 11 01");
}

TEST(MbapConversation, PassesAnExceptionOnWithItsCode) {
  Pair pair;
  pair.say("0001 0000 0003 01 83 02");
  Tally tally;
  const auto answer = link::on_loop(pair.loop, Pair::ask(pair, tally, 1s));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::refused);
  EXPECT_EQ(answer.error().detail, 2);
}

// A peer that keeps packets apart, answers every request of each, and remembers how many there
// were.
struct Pipeline {
  asio::io_context loop;
  SystemClock clock;
  int peer = -1;
  std::unique_ptr<MbapConversation> conversation;
  TaskGroup serving{loop.get_executor()}, asking{loop.get_executor()};
  std::vector<std::size_t> packets;
  std::vector<std::string> answers;

  Pipeline() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    peer = ends[1];
    conversation = std::make_unique<MbapConversation>(
        std::make_unique<link::TcpLine>(loop.get_executor(), clock, ends[0], "test"), clock,
        loop.get_executor());
    serving.spawn(conversation->serve());
    serving.spawn(answer(*this));
  }
  ~Pipeline() {
    conversation->close();
    ::close(peer);
    serving.cancel();
    loop.restart();
    loop.run_for(1s);
  }
  static Task<void> answer(Pipeline& pipe) {
    for (;;) {
      ByteVector got(4096), out;
      const auto count = ::recv(pipe.peer, got.data(), got.size(), 0);
      if (count <= 0) {
        co_await pipe.clock.sleep_for(1ms);
        continue;
      }
      pipe.packets.push_back(static_cast<std::size_t>(count) / 12);
      for (std::size_t at = 0; at + 12 <= static_cast<std::size_t>(count); at += 12) {
        put_bytes(out, Bytes(&got[at], 2));  // its transaction, and its address as the value
        put_bytes(out, hex("0000 0005 01 03 02"));
        put_bytes(out, Bytes(&got[at + 8], 2));
      }
      EXPECT_GT(::send(pipe.peer, out.data(), out.size(), MSG_NOSIGNAL), 0);
    }
  }
  static Task<void> ask_one(Pipeline& pipe, std::uint16_t address) {
    Tally tally;
    const auto answer = co_await pipe.conversation->ask(
        {1, modbus::Read{modbus::Function::read_holding_registers, address, 1}, 1s, 1s}, tally);
    pipe.answers.push_back(answer ? to_hex(*answer) : answer.error().text);
  }
  static Task<bool> all_ended(Pipeline& pipe) {
    co_await pipe.asking.join();
    co_return true;
  }
  void ask_at_once(std::uint16_t count) {
    for (std::uint16_t at = 0; at < count; ++at) asking.spawn(ask_one(*this, at));
    EXPECT_TRUE(link::on_loop(loop, all_ended(*this)));
  }
};

TEST(MbapConversation, SendsInOnePacketWhatIsAskedAtOnce) {
  Pipeline pipe;
  pipe.ask_at_once(2);  // that there are two is not known yet
  EXPECT_EQ(pipe.packets, (std::vector<std::size_t>{1, 1}));
  pipe.packets.clear();
  pipe.answers.clear();
  pipe.ask_at_once(3);
  EXPECT_EQ(pipe.packets, (std::vector<std::size_t>{3}));
  EXPECT_EQ(pipe.answers, (std::vector<std::string>{"03 02 00 00", "03 02 00 01", "03 02 00 02"}));
}

TEST(MbapConversation, EndsEveryAskerWhenTheLineTakesNothing) {
  Pipeline pipe;
  pipe.ask_at_once(2);
  pipe.answers.clear();
  ::shutdown(pipe.peer, SHUT_RD);
  pipe.ask_at_once(3);
  ASSERT_EQ(pipe.answers.size(), 3u);
  for (const auto& answer : pipe.answers)
    EXPECT_NE(answer.find("clos"), std::string::npos) << answer;
}

TEST(MbapConversation, EndsWhenThePeerCloses) {
  Pair pair;
  pair.hang_up();
  Tally tally;
  const auto answer = link::on_loop(pair.loop, Pair::ask(pair, tally, 2s));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::closed);
}

}  // namespace
}  // namespace lightship::poller
