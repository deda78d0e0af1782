// The outbox on disk: what a message costs that is safe before it is sent, and how fast it leaves.
//
// The peer of the queue alone is the obvious one in Python: a table in SQLite with the same journal
// and syncs, for each message a commit that inserts it and deletes the one before. The peer of the
// way to a broker is `mosquitto_pub -l` with QoS 1, which keeps nothing on disk.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <boost/asio/executor_work_guard.hpp>

#include "base/json_writer.h"
#include "link/testing/mosquitto.h"
#include "sinks/mqtt/delivery.h"
#include "store/testing/desk.h"

namespace lightship::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kRounds = 3;
constexpr std::size_t kAhead = 2'000;  // messages that wait for their commit at most

// Bytes count as the programs hand them to the system, so that the kind of disk does not matter.
const char* const kPeer = R"py(
import os, sqlite3, sys, time
file, body, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
for tail in ("", "-wal", "-shm"):
    if os.path.exists(file + tail):
        os.remove(file + tail)
def written():
    return next(int(l.split()[1]) for l in open("/proc/self/io") if l.startswith("wchar"))
db = sqlite3.connect(file, isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=FULL")
db.execute("CREATE TABLE message(id INTEGER PRIMARY KEY, topic TEXT, body TEXT)")
before, began = written(), time.monotonic()
for i in range(count):
    db.execute("BEGIN")
    db.execute("DELETE FROM message WHERE id=?", (i,))
    db.execute("INSERT INTO message VALUES(?,?,?)", (i + 1, "main/meter", body))
    db.execute("COMMIT")
print(count / (time.monotonic() - began), (written() - before) / count)
)py";

std::string open_body() {
  std::string body =
      R"({"device_id":"site","connection_id":"main","client_id":"meter","type":"electrical",)"
      R"("timestamp":"2026-01-04T12:34:56.123Z","quality":"good","age_ms":120,"poll_ms":41,)"
      R"("measurements":{)";
  for (int i = 0; i < 12; ++i) body += fmt::format("\"voltage_l{}\":230.{},", i, i);
  return body + R"("online":true},"units":{"voltage_l1":"V"})";
}
std::string whole_body() { return open_body() + R"(,"sequence":18234})"; }

OutboxMessage message_now(Time now) {
  OutboxMessage message;
  message.key = "main/meter";
  message.target = "site/main/meter";
  message.open_json = open_body();
  message.timestamp = now;
  message.interval = 1h;
  message.qos = 1;
  return message;
}

double written_bytes() {
  std::ifstream io("/proc/self/io");
  std::string name;
  double value = 0;
  while (io >> name >> value)
    if (name == "wchar:") return value;
  return 0;
}

struct Measured {
  double rate = 0, bytes = 0;
};

struct House {
  lightship::testing::Desk desk{std::filesystem::current_path() / "bench-outbox"};
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
  std::shared_ptr<OutboxQueue> queue;

  House() {
    std::filesystem::create_directories(desk.folder);
    desk.settings.commit_every = 100ms;  // as by default
    desk.file = OutboxFile::open(context, desk.path(), desk.settings);
    desk.settle();
    queue = desk.file->queue("mqtt");
    // The room that is kept free is made once in the file's life.
    for (int i = 0; i < 5; ++i) {
      queue->push(message_now(clock.now()));
      desk.settle();
    }
    take_all();
    desk.settle();
  }
  void take_all() {
    while (const auto* message = queue->next()) queue->acknowledge(message->id);
  }
};

// Each message waits for its own commit.
Measured one_by_one(int count) {
  House house;
  const auto before = written_bytes();
  const auto began = steady_now();
  for (int i = 0; i < count; ++i) {
    house.queue->push(message_now(house.clock.now()));
    house.desk.settle();
    house.take_all();
  }
  const double seconds = std::chrono::duration<double>(steady_now() - began).count();
  return {count / seconds, (written_bytes() - before) / count};
}

// As in the house: as many as came meanwhile go into one commit.
Measured grouped(int count) {
  House house;
  const auto open = asio::make_work_guard(house.desk.loop);
  house.desk.loop.restart();
  const auto before = written_bytes();
  const auto began = steady_now();
  for (int i = 0; i < count; ++i) {
    while (house.queue->waiting() > kAhead) {
      house.desk.loop.run_one();
      house.take_all();
    }
    if (!house.queue->push(message_now(house.clock.now()))) std::abort();
    if (i % 64 == 0) house.desk.loop.poll();
  }
  while (house.queue->waiting() > 0) {
    house.desk.loop.run_one();
    house.take_all();
  }
  house.desk.settle();
  const double seconds = std::chrono::duration<double>(steady_now() - began).count();
  return {count / seconds, (written_bytes() - before) / count};
}

double to_broker(std::uint16_t port, int count) {
  House house;
  mqtt::MqttConfig config;
  config.host = "127.0.0.1";
  config.port = port;
  mqtt::Delivery delivery(house.context, config, house.queue);
  TaskGroup group(house.desk.loop.get_executor());
  group.spawn(delivery.run());
  const auto open = asio::make_work_guard(house.desk.loop);
  house.desk.loop.restart();
  while (!delivery.connected()) house.desk.loop.run_one();
  const auto began = steady_now();
  for (int i = 0; i < count; ++i) {
    while (house.queue->waiting() > kAhead) house.desk.loop.run_one();
    if (!house.queue->push(message_now(house.clock.now()))) std::abort();
    if (i % 64 == 0) house.desk.loop.poll();
  }
  while (house.queue->waiting() > 0) house.desk.loop.run_one();
  const double seconds = std::chrono::duration<double>(steady_now() - began).count();
  house.desk.wait(delivery.drain(1s));
  group.cancel();
  house.desk.wait(group.join());
  return count / seconds;
}

Measured peer_alone(int count) {
  const auto command = fmt::format("/usr/bin/python3 -c '{}' bench-outbox-peer.db '{}' {}", kPeer,
                                   whole_body(), count);
  std::FILE* out = ::popen(command.c_str(), "r");
  Measured measured;
  if (out == nullptr || std::fscanf(out, "%lf %lf", &measured.rate, &measured.bytes) != 2)
    measured = {};
  if (out != nullptr) ::pclose(out);
  for (const char* tail : {"", "-wal", "-shm"})
    std::filesystem::remove(std::string("bench-outbox-peer.db") + tail);
  return measured;
}

double peer_to_broker(std::uint16_t port, int count) {
  const auto command =
      fmt::format("mosquitto_pub -h 127.0.0.1 -p {} -q 1 -t site/main/meter -l", port);
  const auto line = whole_body() + "\n";
  const auto began = steady_now();
  std::FILE* in = ::popen(command.c_str(), "w");
  if (in == nullptr) return 0;
  for (int i = 0; i < count; ++i) std::fwrite(line.data(), 1, line.size(), in);
  const bool well = ::pclose(in) == 0;  // it ends when everything is acknowledged
  return well ? count / std::chrono::duration<double>(steady_now() - began).count() : 0;
}

double median(std::vector<double> of) {
  std::ranges::sort(of);
  return of[of.size() / 2];
}

void print(std::string_view name, std::vector<double> ours, std::vector<double> peers,
           std::string_view unit, bool higher, int count) {
  const double we = median(std::move(ours)), they = median(std::move(peers));
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("name", name).member("ours", std::round(we)).key("peer");
  if (they > 0)
    json.value(std::round(they)).member("ratio", Real{we / they, 2});
  else
    json.null().key("ratio").null();
  json.member("unit", unit).member("higher_is_better", higher);
  json.member("messages", count).member("message_bytes", whole_body().size()).end_object();
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

void queue_alone(int count, int grouped_count) {
  std::vector<double> rate, bytes, many, many_bytes, peer, peer_bytes;
  for (int round = 0; round < kRounds; ++round) {
    const auto one = one_by_one(count), group = grouped(grouped_count), other = peer_alone(count);
    rate.push_back(one.rate), bytes.push_back(one.bytes);
    many.push_back(group.rate), many_bytes.push_back(group.bytes);
    peer.push_back(other.rate), peer_bytes.push_back(other.bytes);
  }
  constexpr const char* kBytes = "bytes written/message";
  print("Outbox alone, a commit for each message, peer sqlite3 of Python", rate, peer, "messages/s",
        true, count);
  print("Outbox alone, a commit for each message", bytes, peer_bytes, kBytes, false, count);
  print("Outbox alone, commits as in the house, same peer", many, peer, "messages/s", true,
        grouped_count);
  print("Outbox alone, commits as in the house", many_bytes, peer_bytes, kBytes, false,
        grouped_count);
}

void with_broker(int count) {
  if (!link::testing::Mosquitto::installed()) {
    fmt::print(stderr, "mosquitto is not installed: the way to a broker is not measured\n");
    return;
  }
  const link::testing::Mosquitto broker;
  std::vector<double> we, they;
  for (int round = 0; round < kRounds; ++round) {
    we.push_back(to_broker(broker.port(), count));
    they.push_back(peer_to_broker(broker.port(), count));
  }
  print("Outbox on disk to mosquitto, QoS 1, peer mosquitto_pub -l without a disk", we, they,
        "messages/s", true, count);
}

}  // namespace
}  // namespace lightship::bench

int main() {
  lightship::bench::queue_alone(300, 20'000);
  lightship::bench::with_broker(10'000);
}
