// Messages a second from the outbox on disk to an HTTP server on the loopback, and back as
// acknowledged.
//
// From the first push until everything is delivered and forgotten on disk: numbering, commits,
// posting, acknowledging. The server is a thread of this program that answers 204. The peer posts
// the same bodies to the same server from a loop in Python on one kept connection (requests where
// it is installed, else http.client), without a queue, without a disk.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <unistd.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "sinks/http/post.h"
#include "store/testing/desk.h"

namespace lightship::bench {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

constexpr int kRounds = 3;
constexpr std::size_t kAhead = 2'000;  // messages that wait at most

const char* const kPeer = R"(
import http.client, sys, time
port, body, count, per = int(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3]), int(sys.argv[4])
body = body if per == 1 else b"[" + b",".join([body] * per) + b"]"
headers = {"Content-Type": "application/json"}
try:
    import requests
    session = requests.Session()
    session.trust_env = False
    post = lambda: session.post(f"http://127.0.0.1:{port}/v1", data=body, headers=headers).status_code
except ImportError:
    line = http.client.HTTPConnection("127.0.0.1", port)
    def post():
        line.request("POST", "/v1", body, headers)
        answer = line.getresponse()
        answer.read()
        return answer.status
post()
began = time.monotonic()
for _ in range(count):
    assert post() == 204
print(count * per / (time.monotonic() - began))
)";

// Answers 204 to everything, one thread for each connection.
class Server {
 public:
  Server() : thread_([this] { accept(); }) {}
  ~Server() {
    stopping_ = true;
    boost::system::error_code ignored;
    tcp::socket(loop_).connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    std::vector<std::jthread> serving;
    for (;;) {
      auto client = std::make_shared<tcp::socket>(acceptor_.accept());
      if (stopping_) return;
      client->set_option(tcp::no_delay(true));
      serving.emplace_back([client] { serve(*client); });
    }
  }
  static void serve(tcp::socket& client) {
    std::string buffer;
    boost::system::error_code gone;
    for (;;) {
      const auto head = asio::read_until(client, asio::dynamic_buffer(buffer), "\r\n\r\n", gone);
      if (gone) return;
      const auto lower = to_lower(std::string_view(buffer).substr(0, head));
      const auto size =
          std::strtoul(lower.c_str() + lower.find("content-length: ") + 16, nullptr, 10);
      if (buffer.size() < head + size) {
        asio::read(client, asio::dynamic_buffer(buffer),
                   asio::transfer_exactly(head + size - buffer.size()), gone);
        if (gone) return;
      }
      buffer.erase(0, head + size);
      asio::write(client, asio::buffer("HTTP/1.1 204 No Content\r\n\r\n", 27), gone);
      if (gone) return;
    }
  }

  asio::io_context loop_;
  tcp::acceptor acceptor_{loop_, {asio::ip::make_address("127.0.0.1"), 0}};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

std::string open_body() {
  std::string body =
      R"({"device_id":"site","connection_id":"main","client_id":"meter","type":"electrical",)"
      R"("timestamp":"2026-01-04T12:34:56.123Z","quality":"good","age_ms":120,"poll_ms":41,)"
      R"("measurements":{)";
  for (int i = 0; i < 12; ++i) body += fmt::format("\"voltage_l{}\":230.{},", i, i);
  return body + R"("online":true},"units":{"voltage_l1":"V"})";
}

struct Timed {
  double rate = 0, cpu_us = 0;
};

Timed ours(std::uint16_t port, unsigned batch, int count) {
  lightship::testing::Desk desk(std::filesystem::current_path() / "bench-http-outbox");
  std::filesystem::create_directories(desk.folder);
  SystemClock clock;
  Context context{desk.loop.get_executor(),
                  clock,
                  desk.logbook,
                  desk.catalog,
                  desk.cache,
                  desk.bus,
                  desk.metrics,
                  desk.progress,
                  desk.owners,
                  desk.alerts,
                  desk.clock_watch,
                  desk.files,
                  desk.heirlooms,
                  "site",
                  {},
                  desk.folder};
  desk.settings.commit_every = 100ms;  // as in the house
  desk.file = OutboxFile::open(context, desk.path(), desk.settings);
  desk.settle();
  auto queue = desk.file->queue("http/bench");
  http::EndpointConfig endpoint;
  endpoint.url = fmt::format("http://127.0.0.1:{}/v1", port);
  endpoint.proxy = config::Secret("none");
  http::Courier courier(context,
                        {.name = "http/bench",
                         .type = "bench",
                         .alerts = false,
                         .endpoint = endpoint,
                         .batch = batch,
                         .batch_wait = 1s},
                        queue, http::post_of(context), std::make_shared<http::Precedence>());
  TaskGroup group(desk.loop.get_executor());
  group.spawn(courier.run());

  const auto open = asio::make_work_guard(desk.loop);
  desk.loop.restart();
  const auto body = open_body();
  const auto cpu = std::clock();
  const auto began = steady_now();
  for (int i = 0; i < count; ++i) {
    OutboxMessage message;
    message.key = "main/meter";
    message.target = "main/meter";
    message.open_json = body;
    message.timestamp = clock.now();
    message.interval = 1h;
    // What waits for its commit is bounded: as in the house, pushing is spread over time.
    while (queue->waiting() - queue->under_way() > kAhead) desk.loop.run_one();
    if (!queue->push(std::move(message))) std::abort();
    if (i % 64 == 0) desk.loop.poll();
  }
  while (queue->waiting() > 0) desk.loop.run_one();
  desk.settle();
  const double seconds = std::chrono::duration<double>(steady_now() - began).count();
  const double used = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  group.cancel();
  desk.wait(group.join());
  return {count / seconds, 1e6 * used / count};
}

double peer(std::uint16_t port, unsigned batch, int count) {
  const auto command = fmt::format("/usr/bin/python3 -c '{}' {} '{}}}' {} {}", kPeer, port,
                                   open_body() + R"(,"sequence":18234)", count / batch, batch);
  std::FILE* out = ::popen(command.c_str(), "r");
  double rate = 0;
  if (out == nullptr || std::fscanf(out, "%lf", &rate) != 1) rate = 0;
  if (out != nullptr) ::pclose(out);
  return rate;
}

double median(std::vector<double> of) {
  std::ranges::sort(of);
  return of[of.size() / 2];
}

void compare(unsigned batch, int count, int peer_count) {
  Server server;
  std::vector<double> we, they, cpu;
  for (int round = 0; round < kRounds; ++round) {
    const auto one = ours(server.port(), batch, count);
    we.push_back(one.rate);
    cpu.push_back(one.cpu_us);
    they.push_back(peer(server.port(), batch, peer_count));
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("name", fmt::format("Outbox on disk to HTTP, batch {}, peer a loop in Python without "
                                  "a queue",
                                  batch));
  json.member("ours", std::round(median(we))).member("peer", std::round(median(they)));
  json.member("ratio", Real{median(we) / std::max(median(they), 1.0), 2});
  json.member("unit", "messages/s").member("higher_is_better", true);
  json.member("cpu_us_per_message", Real{median(cpu), 1}).member("messages", count).end_object();
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

}  // namespace
}  // namespace lightship::bench

int main() {
  lightship::bench::compare(1, 20'000, 5'000);
  lightship::bench::compare(100, 100'000, 50'000);
}
