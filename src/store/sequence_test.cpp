// Sequence numbers: from 1, by one, never twice.
#include "store/sequence.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/manual_clock.h"

namespace lightship {
namespace {

struct Desk {
  asio::io_context loop;
  SystemClock clock;
  std::FILE* quiet = std::fopen("/dev/null", "w");
  Logbook logbook{clock, quiet, Logbook::Form::text, Level::error};
  Worker worker;
  std::filesystem::path file = std::filesystem::temp_directory_path() /
                               fmt::format("lightship-sequence-{}-{}", ::getpid(), ++count);
  static inline int count = 0;

  ~Desk() {
    std::filesystem::remove(file);
    std::fclose(quiet);
  }
  std::unique_ptr<SequenceStore> open() {
    return SequenceStore::open(file, worker, logbook).value();
  }
  std::uint64_t next(SequenceStore& store, std::string key = "mqtt/a/b") {
    std::uint64_t got = 0;
    asio::co_spawn(
        loop, store.next(std::move(key)),
        [&](std::exception_ptr, Result<std::uint64_t> number) { got = number.value_or(0); });
    run();
    return got;
  }
  void close(SequenceStore& store) {
    asio::co_spawn(loop, store.close(),
                   [](std::exception_ptr, Result<void> done) { EXPECT_TRUE(done); });
    run();
  }
  void run() {
    const auto work = asio::make_work_guard(loop);
    loop.restart();
    // The worker posts home; the loop has nothing else to wait for.
    for (int quiet_turns = 0; quiet_turns < 3;) {
      quiet_turns = loop.run_for(std::chrono::milliseconds(10)) == 0 ? quiet_turns + 1 : 0;
    }
  }
};

TEST(SequenceStore, BeginsAtOneAndCountsByOne) {
  Desk desk;
  const auto store = desk.open();
  EXPECT_EQ(desk.next(*store), 1u);
  EXPECT_EQ(desk.next(*store), 2u);
  EXPECT_EQ(desk.next(*store, "mqtt/a/other"), 1u);
}

TEST(SequenceStore, GoesOnExactlyAfterACleanStop) {
  Desk desk;
  {
    const auto store = desk.open();
    for (int i = 0; i < 5; ++i) desk.next(*store);
    desk.close(*store);
  }
  EXPECT_EQ(desk.next(*desk.open()), 6u);
}

TEST(SequenceStore, SkipsAfterACrashAndNeverReuses) {
  Desk desk;
  std::uint64_t last = 0;
  {
    const auto store = desk.open();
    for (int i = 0; i < 5; ++i) last = desk.next(*store);
  }  // not closed: as after kill -9
  EXPECT_GT(desk.next(*desk.open()), last);
}

TEST(SequenceStore, ReservesAgainAfterItWasClosed) {
  Desk desk;
  std::uint64_t last = 0;
  {
    const auto store = desk.open();
    desk.next(*store);
    desk.close(*store);  // a reload: the successor goes on with the same store
    last = desk.next(*store);
  }
  EXPECT_GT(desk.next(*desk.open()), last);
}

TEST(SequenceStore, TakesAnUnusedNumberBack) {
  Desk desk;
  const auto store = desk.open();
  desk.next(*store);
  store->give_back("mqtt/a/b", desk.next(*store));
  EXPECT_EQ(desk.next(*store), 2u);
  store->give_back("mqtt/a/b", 1);  // not the newest: 2 has been given
  EXPECT_EQ(desk.next(*store), 3u);
}

TEST(SequenceStore, GivesNoNumberThatIsNotOnDisk) {
  Desk desk;
  desk.file = "/proc/lightship/sequence.json";  // nothing can be written there
  const auto store = desk.open();
  EXPECT_EQ(desk.next(*store), 0u);
}

TEST(SequenceStore, RefusesAFileItDoesNotUnderstand) {
  Desk desk;
  for (const char* text :
       {"", "[]", "{\"next\":{\"a\":-1}}", "{\"next\":{\"a\":1.5}}", "{\"next\":3}", "garbage"}) {
    std::ofstream(desk.file) << text;
    EXPECT_FALSE(SequenceStore::open(desk.file, desk.worker, desk.logbook)) << text;
  }
}

}  // namespace
}  // namespace lightship
