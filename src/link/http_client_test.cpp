// The client against a server of our own on the loopback that says exactly what it is told to.
#include "link/http_client.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "base/text.h"
#include "base/version.h"
#include "link/testing/on_loop.h"

namespace lightship::link {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using ::testing::HasSubstr;
using ::testing::Not;

struct Heard {
  std::string head, body;
};

// Answers each request with the next text of the script; "" says nothing and waits for the client
// to go. A text that begins with "!" is the last of its connection.
class Server {
 public:
  explicit Server(std::vector<std::string> script)
      : script_(std::move(script)), thread_([this] { serve(); }) {}
  ~Server() {
    stopping_ = true;
    boost::system::error_code ignored;
    tcp::socket(loop_).connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  std::string url(std::string path = "/v1") const {
    return fmt::format("http://127.0.0.1:{}{}", acceptor_.local_endpoint().port(), path);
  }
  // To be looked at when the answers are there.
  std::vector<Heard> heard;
  int connections = 0;

 private:
  void serve() {
    std::size_t next = 0;
    while (next < script_.size()) {
      tcp::socket client = acceptor_.accept();
      if (stopping_) return;
      ++connections;
      converse(client, next);
    }
  }
  void converse(tcp::socket& client, std::size_t& next) {
    std::string buffer;
    boost::system::error_code gone;
    while (next < script_.size()) {
      const auto length = asio::read_until(client, asio::dynamic_buffer(buffer), "\r\n\r\n", gone);
      if (gone) return;
      Heard request{buffer.substr(0, length), buffer.substr(length)};
      const auto field = to_lower(request.head).find("content-length: ");
      const auto size = std::stoul(request.head.substr(field + 16));
      while (request.body.size() < size) {
        char more[4096];
        const auto got = client.read_some(asio::buffer(more), gone);
        if (gone) return;
        request.body.append(more, got);
      }
      buffer.clear();
      heard.push_back(request);
      std::string answer = script_[next++];
      if (answer.empty()) {
        char nothing[1];
        client.read_some(asio::buffer(nothing), gone);
        return;
      }
      const bool last = answer[0] == '!';
      asio::write(client, asio::buffer(answer.substr(last ? 1 : 0)), gone);
      if (last) return;
    }
  }

  std::vector<std::string> script_;
  asio::io_context loop_;
  tcp::acceptor acceptor_{loop_, {asio::ip::make_address("127.0.0.1"), 0}};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

struct Desk {
  asio::io_context loop;
  asio::executor_work_guard<asio::io_context::executor_type> open{loop.get_executor()};
  HttpClient client;
  HttpSettings settings = quiet();

  static HttpSettings quiet() {
    HttpSettings settings;
    settings.proxy = "none";
    return settings;
  }
  HttpRequest request(std::string url, std::string body = "{}") {
    return {std::move(url), {}, std::move(body), std::make_shared<HttpSettings>(settings)};
  }
  Result<HttpAnswer> post(HttpRequest request) {
    return on_loop(loop, client.post(std::move(request)));
  }
  Result<HttpAnswer> post(std::string url) { return post(request(std::move(url))); }
};

constexpr const char* kFine = "HTTP/1.1 204 No Content\r\n\r\n";

TEST(HttpClient, PostsTheBodyWithItsHeaders) {
  Server server({"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nokay"});
  Desk desk;
  auto request = desk.request(server.url("/v1/electrical?site=a"), R"({"voltage_l1":230.1})");
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};

  const auto answer = desk.post(std::move(request));

  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "okay");
  EXPECT_TRUE(answer->whole);
  ASSERT_EQ(server.heard.size(), 1u);
  const auto& head = server.heard[0].head;
  EXPECT_THAT(head, HasSubstr("POST /v1/electrical?site=a HTTP/1.1\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Empty:"));
  EXPECT_THAT(head, HasSubstr(fmt::format("User-Agent: lightship/{}\r\n", version())));
  EXPECT_THAT(head, Not(HasSubstr("Expect")));
  EXPECT_EQ(server.heard[0].body, R"({"voltage_l1":230.1})");
}

TEST(HttpClient, KeepsTheConnectionForTheNextRequest) {
  Server server({kFine, kFine, kFine});
  Desk desk;
  for (const bool fresh : {true, false, false}) {
    const auto answer = desk.post(server.url());
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer->fresh, fresh);
  }
  EXPECT_EQ(server.connections, 1);
}

TEST(HttpClient, ConnectsAgainWhenTheServerClosedInBetween) {
  Server server({std::string("!") + kFine, kFine});
  Desk desk;
  EXPECT_TRUE(desk.post(server.url()));
  const auto answer = desk.post(server.url());
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->status, 204);
  EXPECT_EQ(server.connections, 2);
}

TEST(HttpClient, GivesAServerThatSaysNothingItsTimeAndNoMore) {
  Server server({""});
  Desk desk;
  desk.settings.timeout = 150ms;
  const auto answer = desk.post(server.url());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::timeout);
  EXPECT_EQ(answer.error().text, "no answer within 150 ms");
}

TEST(HttpClient, DoesNotTakeAStatusForAnAnswerBeforeTheHeadersAreComplete) {
  Server server({"!HTTP/1.1 200 OK\r\nContent-Le"});
  Desk desk;
  const auto answer = desk.post(server.url());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::closed) << answer.error().text;
}

TEST(HttpClient, KeepsTheStatusOfAnAnswerWhoseBodyIsCut) {
  Server server({"!HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"});
  Desk desk;
  const auto answer = desk.post(server.url());
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "only this");
  EXPECT_FALSE(answer->whole);
}

TEST(HttpClient, SaysThatTheServerWentWithoutAWord) {
  Server server({"!"});
  Desk desk;
  const auto answer = desk.post(server.url());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::closed);
  EXPECT_THAT(answer.error().text, HasSubstr("without an answer"));
}

TEST(HttpClient, KeepsTheStartOfALongAnswerAndEndsOneThatNeverEnds) {
  Server server(
      {"!HTTP/1.1 500 No\r\nContent-Length: 5000000\r\n\r\n" + std::string(3'000'000, 'x')});
  Desk desk;
  const auto answer = desk.post(server.url());
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body, std::string(HttpAnswer::kKept, 'x'));
  EXPECT_FALSE(answer->whole);
}

TEST(HttpClient, TellsWhatRetryAfterAndLocationSayAndFollowsNothing) {
  Server server({"HTTP/1.1 503 Busy\r\nretry-after:  120 \r\nContent-Length: 0\r\n\r\n",
                 "HTTP/1.1 301 Moved\r\nLocation: /v2\r\nContent-Length: 0\r\n\r\n"});
  Desk desk;
  const auto busy = desk.post(server.url());
  ASSERT_TRUE(busy);
  EXPECT_EQ(busy->retry_after, "120");
  const auto moved = desk.post(server.url());
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->status, 301);
  EXPECT_EQ(moved->location, "/v2");
  EXPECT_EQ(moved->retry_after, std::nullopt);
  EXPECT_EQ(server.heard.size(), 2u);
}

TEST(HttpClient, PassesOverAnInterimAnswer) {
  Server server(
      {"HTTP/1.1 102 Processing\r\nRetry-After: 5\r\n\r\n"
       "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
  Desk desk;
  const auto answer = desk.post(server.url());
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->retry_after, std::nullopt);
}

TEST(HttpClient, SaysThatNobodyListens) {
  std::string url;
  {
    Server server({});
    url = server.url();
  }
  Desk desk;
  const auto answer = desk.post(url);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::unavailable);
  EXPECT_THAT(answer.error().text, HasSubstr("127.0.0.1"));
}

TEST(HttpClient, RefusesWhatIsNotHttp) {
  Desk desk;
  for (const char* url : {"file:///etc/passwd", "gopher://127.0.0.1/", "http://a b/", ""}) {
    const auto answer = desk.post(url);
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().code, Errc::invalid) << url;
  }
}

TEST(HttpClient, SaysThatTheOtherSideSpeaksNoHttp) {
  Server server({"!SSH-2.0-OpenSSH_9.2\r\n\r\n"});
  Desk desk;
  const auto answer = desk.post(server.url());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::malformed) << answer.error().text;
}

TEST(HttpClient, NamesTheFileOfAuthoritiesThatIsNotThere) {
  Desk desk;
  desk.settings.ca_file = "/nowhere/ca.pem";
  Server server({""});
  const auto answer = desk.post("https" + server.url().substr(4));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::invalid);
  EXPECT_THAT(answer.error().text, HasSubstr("/nowhere/ca.pem"));
}

TEST(HttpClient, LetsASlowServerDelayNoOther) {
  Server slow({""}), quick({kFine});
  Desk desk;
  std::vector<std::string> order;
  asio::co_spawn(desk.loop, desk.client.post(desk.request(slow.url())),
                 [&](std::exception_ptr, Result<HttpAnswer>) { order.emplace_back("slow"); });
  const auto answer = desk.post(quick.url());
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_TRUE(order.empty());
}

TEST(HttpClient, PostsASeriesInOrderUpToTheFirstThatIsNotTaken) {
  Server server({kFine, kFine, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", kFine});
  Desk desk;
  std::vector<HttpRequest> requests;
  for (const char* body : {"1", "2", "3", "4"})
    requests.push_back(desk.request(server.url(), body));

  const auto outcomes = on_loop(desk.loop, desk.client.post_each(std::move(requests)));

  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[0]->status, 204);
  EXPECT_EQ(outcomes[1]->status, 204);
  EXPECT_EQ(outcomes[2]->status, 503);
  EXPECT_EQ(server.connections, 1);
  ASSERT_EQ(server.heard.size(), 3u);
  EXPECT_EQ(server.heard[0].body + server.heard[1].body + server.heard[2].body, "123");
}

TEST(HttpClient, EndsARequestThatNobodyWaitsForAnyMore) {
  Server server({""});
  Desk desk;
  asio::cancellation_signal stop;
  bool ended = false;
  asio::co_spawn(
      desk.loop, desk.client.post(desk.request(server.url())),
      asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr why, Result<HttpAnswer>) {
        EXPECT_TRUE(is_cancellation(why));
        ended = true;
      }));
  desk.loop.run_for(20ms);
  stop.emit(asio::cancellation_type::terminal);
  desk.loop.run_for(20ms);
  EXPECT_TRUE(ended);
}  // the server's own end waits for the connection to go

}  // namespace
}  // namespace lightship::link
