// Who is slow, and who takes nothing.
#include "portal/http/patience.h"

#include <gtest/gtest.h>

namespace lightship::portal {
namespace {

TEST(WritePatience, GrowsWithWhatIsSent) {
  EXPECT_EQ(write_patience(0), std::chrono::seconds(20));
  // A snapshot of 500 devices over a line of 5 kB/s takes 80 s.
  EXPECT_EQ(write_patience(400'000), std::chrono::seconds(117));
}

}  // namespace
}  // namespace lightship::portal
