// What machines that watch this one ask for.
#include "portal/api/health.h"

#include <gtest/gtest.h>

#include "portal/testing/shop.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

struct Watched : Shop {
  explicit Watched(MetricsOpen open = MetricsOpen::here) {
    program.metrics = [this] { return fmt::format("lightship_up {}\n", ++made); };
    add_health(router, clock, field, program, open);
  }
  Program program;
  int made = 0;
};

TEST(Health, MetricsAreMadeOnceForAllWhoAskWithinAMoment) {
  Watched all;
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(all.ask(all.router, "/metrics").text(), "lightship_up 1\n") << i;
  EXPECT_EQ(all.made, 1);
  all.clock.advance(1s);
  const auto later = all.ask(all.router, "/metrics");
  EXPECT_EQ(later.text(), "lightship_up 2\n");
  EXPECT_EQ(later.content_type, "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace
}  // namespace lightship::portal
