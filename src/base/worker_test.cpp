// A thread for what blocks: its results and its exceptions come home.
#include "base/worker.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace lightship {
namespace {

Task<void> ask(Worker& worker, std::string& told) {
  auto job = [] { return std::string("done"); };
  told += co_await worker.run(job);
  auto bad = []() -> int { throw std::runtime_error("no memory"); };
  std::string why;
  try {
    (void)co_await worker.run(bad);
  } catch (const std::exception& thrown) {
    why = thrown.what();
  }
  told += ", " + why;
  told += ", " + co_await worker.run(job);
}

TEST(Worker, GivesWhatAJobReturnsOrThrowsToWhoAskedAndGoesOn) {
  Worker worker;
  asio::io_context loop(1);
  std::string told;
  std::exception_ptr failure;
  asio::co_spawn(loop, ask(worker, told), [&](std::exception_ptr why) { failure = why; });
  loop.run();
  EXPECT_FALSE(failure);
  EXPECT_EQ(told, "done, no memory, done");
}

}  // namespace
}  // namespace lightship
