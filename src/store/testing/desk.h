// A house with an outbox file in a folder of its own, for tests: opened, left, opened again.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/manual_clock.h"
#include "store/outbox_file.h"

namespace lightship::testing {

struct Desk {
  asio::io_context loop{1};
  ManualClock clock{loop};
  std::FILE* quiet = std::fopen("/dev/null", "w");
  Logbook logbook{clock, quiet, Logbook::Form::text, Level::error};
  Catalog catalog;
  Cache cache{catalog};
  Bus bus{loop.get_executor(), cache};
  Metrics metrics;
  Progress progress{clock};
  Owners owners;
  Alerts alerts{clock};
  ClockWatch clock_watch{clock, Time{}};
  Worker files;
  std::map<std::string, std::shared_ptr<void>> heirlooms;
  std::filesystem::path folder;
  bool own_folder = true;
  Context context{loop.get_executor(),
                  clock,
                  logbook,
                  catalog,
                  cache,
                  bus,
                  metrics,
                  progress,
                  owners,
                  alerts,
                  clock_watch,
                  files,
                  heirlooms,
                  "site",
                  {},
                  {}};
  OutboxFile::Settings settings;
  std::shared_ptr<OutboxFile> file;

  static std::filesystem::path fresh_folder() {
    static int count = 0;
    const auto made = std::filesystem::temp_directory_path() /
                      fmt::format("lightship-outbox-{}-{}", ::getpid(), ++count);
    std::filesystem::create_directories(made);
    return made;
  }

  explicit Desk(std::filesystem::path where = fresh_folder(), bool own = true)
      : folder(std::move(where)), own_folder(own) {
    context.data_dir = folder;
    settings.commit_every = std::chrono::milliseconds(1);
  }
  ~Desk() {
    file.reset();
    std::fclose(quiet);
    std::error_code ignored;
    if (own_folder) std::filesystem::remove_all(folder, ignored);
  }

  std::filesystem::path path() const { return folder / "outbox.db"; }
  OutboxFile& open() {
    file = OutboxFile::open(context, context.data_dir.empty() ? std::filesystem::path{} : path(),
                            settings);
    settle();
    return *file;
  }
  // As at the end of the program.
  void leave() { file.reset(); }

  void wait(Task<void> task) {
    bool done = false;
    asio::co_spawn(loop, std::move(task), [&](std::exception_ptr why) {
      done = true;
      if (why) std::rethrow_exception(why);
    });
    const auto work = asio::make_work_guard(loop);
    loop.restart();
    while (!done) loop.run_one();
    loop.poll();
  }
  // Everything is on disk, or the disk refuses.
  void settle() { wait(file->flush(std::chrono::seconds(30))); }

  static OutboxMessage message(std::string key, int number, Lane lane = Lane::measurement,
                               std::size_t size = 0) {
    OutboxMessage made;
    made.lane = lane;
    made.key = std::move(key);
    made.target = "topic";
    made.open_json = fmt::format("{{\"n\":{}", number);
    if (size > made.open_json.size() + 9)
      made.open_json += ",\"fill\":\"" + std::string(size - made.open_json.size() - 9, 'x') + "\"";
    made.timestamp = Time(std::chrono::seconds(number));
    made.interval = std::chrono::seconds(10);
    return made;
  }

  // Takes everything that is there, in order, acknowledges it, and tells "key#sequence".
  std::vector<std::string> drain(OutboxQueue& queue) {
    std::vector<std::string> heard;
    for (;;) {
      const auto* next = queue.next();
      if (next == nullptr) {
        settle();
        next = queue.next();
        const auto work = asio::make_work_guard(loop);
        for (int turn = 0; next == nullptr && queue.waiting() > 0 && turn < 2000; ++turn) {
          loop.restart();
          loop.run_for(std::chrono::milliseconds(1));
          next = queue.next();
        }
        if (next == nullptr) return heard;
      }
      heard.push_back(fmt::format("{}#{}", next->key, next->sequence));
      queue.acknowledge(next->id);
    }
  }
};

}  // namespace lightship::testing
