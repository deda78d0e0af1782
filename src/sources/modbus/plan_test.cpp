// The plan joins what belongs together and never splits a value.
#include "sources/modbus/plan.h"

#include <gtest/gtest.h>

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

std::string shown(const std::vector<Block>& blocks) {
  std::string text;
  for (const auto& block : blocks) {
    text += fmt::format("{}:{}+{}{} ", static_cast<int>(block.space), block.first, block.count,
                        block.gaps ? "!" : "");
  }
  return text;
}

PlanPoint at(int address, int count = 1, Space space = Space::holding) {
  return {space, static_cast<std::uint16_t>(address), static_cast<std::uint16_t>(count)};
}

TEST(Plan, JoinsNeighboursWhateverTheirOrder) {
  EXPECT_EQ(shown(plan({at(4, 2), at(0, 2), at(2, 2)}, {})), "3:0+6 ");
}

TEST(Plan, KeepsSpacesApart) {
  EXPECT_EQ(shown(plan({at(0), at(0, 1, Space::input), at(0, 1, Space::coils)}, {})),
            "1:0+1 3:0+1 4:0+1 ");
}

TEST(Plan, ReadsOverAGapUpToTheLimitAndSaysSo) {
  EXPECT_EQ(shown(plan({at(0), at(9)}, {.max_gap = 8})), "3:0+10! ");
  EXPECT_EQ(shown(plan({at(0), at(10)}, {.max_gap = 8})), "3:0+1 3:10+1 ");
  EXPECT_EQ(shown(plan({at(0), at(2)}, {.max_gap = 0})), "3:0+1 3:2+1 ");
}

TEST(Plan, CutsBetweenValuesNeverInsideOne) {
  EXPECT_EQ(shown(plan({at(0, 4), at(4, 4), at(8, 4)}, {.max_registers = 10})), "3:0+8 3:8+4 ");
  EXPECT_EQ(shown(plan({at(0, 2), at(2, 50), at(52, 2)}, {.max_registers = 20})),
            "3:0+2 3:2+50 3:52+2 ");
}

TEST(Plan, FillsARequestToTheLastRegister) {
  std::vector<PlanPoint> points;
  for (int i = 0; i < 250; ++i) points.push_back(at(i));
  EXPECT_EQ(shown(plan(points, {})), "3:0+125 3:125+125 ");
}

TEST(Plan, ReadsAPointThatMustBeAloneInARequestOfItsOwn) {
  auto model_id = at(11);
  model_id.alone = true;
  EXPECT_EQ(shown(plan({at(10, 2), model_id, at(12, 2)}, {})), "3:10+4 3:11+1 ");
}

TEST(Plan, LeavesOutWhatIsNotThere) {
  EXPECT_EQ(shown(plan({at(10, 2), at(12, 0), at(40, 0)}, {.max_gap = 30})), "3:10+2 ");
}

TEST(Plan, ReachesTheLastRegister) { EXPECT_EQ(shown(plan({at(65534, 2)}, {})), "3:65534+2 "); }

TEST(Plan, TakesOverlappingPointsInOneBlock) {
  EXPECT_EQ(shown(plan({at(0, 4), at(1, 2), at(3, 4)}, {})), "3:0+7 ");
}

TEST(Plan, NamesThePointsOfEachBlock) {
  const auto blocks = plan({at(100), at(0), at(1)}, {});
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].points, (std::vector<std::uint16_t>{1, 2}));
  EXPECT_EQ(blocks[1].points, (std::vector<std::uint16_t>{0}));
}

// The table of docs/modbus.md: characters of 10 bits, t3.5, and what the device needs.
TEST(BreakEvenGap, FollowsTheLineAndTheAnswerTime) {
  const auto gap = [](double baud, Duration answer) {
    const auto character = Duration(static_cast<std::int64_t>(10e6 / baud));
    const auto silence =
        baud > 19'200 ? Duration(1750us) : Duration(static_cast<std::int64_t>(35e6 / baud));
    return break_even_gap(character, silence, answer);
  };
  EXPECT_EQ(gap(9600, 0ms), 10);
  EXPECT_EQ(gap(9600, 5ms), 12);
  EXPECT_EQ(gap(9600, 20ms), 19);
  EXPECT_EQ(gap(19200, 20ms), 29);
  EXPECT_EQ(gap(115200, 60ms), 125);
}

TEST(Characters, CountRequestAndAnswer) {
  EXPECT_EQ(characters({Space::holding, 0, 60, {}, false}), 133u);
  EXPECT_EQ(characters({Space::coils, 0, 9, {}, false}), 15u);
}

}  // namespace
}  // namespace lightship::poller
