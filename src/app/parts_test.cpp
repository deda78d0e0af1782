// The parts as they are seen while one of them is restarted.
#include "app/parts.h"

#include <gtest/gtest.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/manual_clock.h"

namespace lightship::app {
namespace {

using namespace std::chrono_literals;

// A sink that delivers until the test says that it is done.
struct SlowSink final : Runner {
  SlowSink(Context& context, bool& delivered) : clock(context.clock), done(delivered) {}
  Task<Error> run() override {
    for (;;) co_await clock.sleep_for(1h);
  }
  Task<void> drain(Duration) override {
    while (!done) co_await clock.sleep_for(100ms);
  }
  Clock& clock;
  bool& done;
};

struct Site {
  asio::io_context loop{1};
  ManualClock clock{loop};
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> quiet{std::fopen("/dev/null", "w"), &std::fclose};
  Logbook logbook{clock, quiet.get(), Logbook::Form::text, Level::error};
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
  Context context{
      loop.get_executor(), clock, logbook,   catalog, cache, bus, metrics, progress, owners, alerts,
      clock_watch,         files, heirlooms, "site",  {},    {}};
  Parts parts{context};
  bool delivered = false;
  std::vector<std::optional<Result<void>>> restarts;
  TaskGroup tasks{loop.get_executor()};

  Site() {
    parts.start({{"mqtt", Part::Kind::sink, "1",
                  [this](Context& on) { return std::make_unique<SlowSink>(on, delivered); }}});
    clock.settle();
  }
  ~Site() {
    delivered = true;
    for (int i = 0; i < 20; ++i) clock.advance(100ms);  // what has begun is ended first
    tasks.spawn(parts.stop_all(1s));
    for (int i = 0; i < 20; ++i) clock.advance(100ms);
  }
  Task<void> restart_it(std::string name, std::size_t which) {
    restarts[which] = co_await parts.restart(std::move(name), 5s);
  }
  std::size_t restart(std::string name) {
    restarts.emplace_back();
    tasks.spawn(restart_it(std::move(name), restarts.size() - 1));
    clock.settle();
    return restarts.size() - 1;
  }
  std::vector<std::string> lives() {
    View view;
    parts.look(view);
    std::vector<std::string> all;
    for (const auto& service : view.services) all.push_back(service.name + " " + service.life);
    return all;
  }
};

TEST(Parts, OneThatIsBeingRestartedIsStillThereAndStopping) {
  Site site;
  EXPECT_EQ(site.lives(), std::vector<std::string>{"mqtt running"});
  const auto first = site.restart("mqtt");
  EXPECT_EQ(site.lives(), std::vector<std::string>{"mqtt stopping"});
  EXPECT_EQ(site.parts.names(), std::vector<std::string>{"mqtt"});
  EXPECT_TRUE(site.parts.ends("mqtt"));
  std::string status;
  JsonWriter json(status);
  site.parts.describe_status(json);
  EXPECT_NE(status.find(R"("life":"stopping")"), std::string::npos) << status;
  EXPECT_FALSE(site.restarts[first]);

  site.delivered = true;
  site.clock.advance(1s);
  ASSERT_TRUE(site.restarts[first]);
  EXPECT_TRUE(*site.restarts[first]);
  EXPECT_EQ(site.lives(), std::vector<std::string>{"mqtt running"});
  EXPECT_FALSE(site.parts.ends("mqtt"));
}

TEST(Parts, OneThatIsBeingRestartedIsNotRestartedTwice) {
  Site site;
  site.restart("mqtt");
  const auto second = site.restart("mqtt"), wrong = site.restart("http");
  ASSERT_TRUE(site.restarts[second] && site.restarts[wrong]);
  EXPECT_EQ(site.restarts[second]->error().code, Errc::refused);
  EXPECT_EQ(site.restarts[wrong]->error().code, Errc::invalid);
  EXPECT_EQ(site.restarts[wrong]->error().text, "no part is called 'http'; there are: mqtt");
}

TEST(Parts, OneThatTheConfigurationNoLongerHasIsGoneAtOnce) {
  Site site;
  site.tasks.spawn(
      [](Parts& parts) -> Task<void> { co_await parts.change_to({}, 5s); }(site.parts));
  site.clock.settle();
  EXPECT_TRUE(site.lives().empty());
  EXPECT_TRUE(site.parts.names().empty());
}

}  // namespace
}  // namespace lightship::app
