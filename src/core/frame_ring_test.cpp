// What a line keeps, for how long, and how much of it all lines together.
#include "core/frame_ring.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace lightship {
namespace {

using namespace std::chrono_literals;

Time at(std::int64_t us) { return Time(Duration(1'767'530'096'000'000 + us)); }

std::vector<std::uint64_t> seqs(const FrameCopy& copy) {
  std::vector<std::uint64_t> all;
  for (const auto& frame : copy.frames()) all.push_back(frame.seq);
  return all;
}

TEST(FrameRing, GivesFramesAsTheyWere) {
  FrameRing ring;
  const auto line = ring.enter("modbus/hall", {});
  const auto asked = line->add(at(7), FrameWay::sent, hex("01 03 00 00 00 01 84 0A"));
  line->add(at(12'345), FrameWay::received, hex("01 03 02"), FrameFault::torn, asked);
  line->add(at(20'000), FrameWay::received, {}, FrameFault::no_answer, asked);
  const auto copy = ring.copy("modbus/hall");
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->newest, 3U);
  const auto frames = copy->frames();
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[0].time, at(7));
  EXPECT_EQ(frames[0].way, FrameWay::sent);
  EXPECT_EQ(frames[0].about, 0U);
  EXPECT_EQ(to_hex(frames[0].bytes), "01 03 00 00 00 01 84 0A");
  EXPECT_EQ(frames[1].time, at(12'345));
  EXPECT_EQ(frames[1].fault, FrameFault::torn);
  EXPECT_EQ(frames[1].about, asked);
  EXPECT_EQ(to_hex(frames[1].bytes), "01 03 02");
  EXPECT_TRUE(frames[2].bytes.empty());
  EXPECT_FALSE(ring.copy("modbus/attic"));
}

TEST(FrameRing, CountsOverAllLines) {
  FrameRing ring;
  const auto one = ring.enter("a", {}), two = ring.enter("b", {});
  one->add(at(0), FrameWay::sent, hex("01"));
  two->add(at(1), FrameWay::sent, hex("02"));
  one->add(at(2), FrameWay::received, hex("03"));
  EXPECT_EQ(seqs(*ring.copy("a")), (std::vector<std::uint64_t>{1, 3}));
  EXPECT_EQ(seqs(*ring.copy("b")), (std::vector<std::uint64_t>{2}));
}

TEST(FrameRing, KeepsTheNewestOfAFullLine) {
  FrameRing ring;
  ring.set_memory(64 * 1024);
  const auto line = ring.enter("a", {});
  const ByteVector frame(200, 0x55);
  for (int i = 0; i < 10'000; ++i) line->add(at(i), FrameWay::sent, frame);
  EXPECT_LE(ring.memory(), 64U * 1024);
  EXPECT_EQ(line->bytes(FrameWay::sent), 2'000'000U);
  EXPECT_EQ(line->bytes(FrameWay::received), 0U);
  const auto kept = seqs(*ring.copy("a"));
  EXPECT_GE(kept.size(), 15U * 4096 / 224 - 15);
  EXPECT_EQ(kept.back(), 10'000U);
  for (std::size_t i = 1; i < kept.size(); ++i) ASSERT_EQ(kept[i], kept[i - 1] + 1);
}

TEST(FrameRing, TakesMemoryAsItFillsAndNeverMoreThanOneLineMay) {
  FrameRing ring;
  const auto line = ring.enter("a", {});
  EXPECT_EQ(ring.memory(), 0U);
  line->add(at(0), FrameWay::sent, hex("01"));
  EXPECT_EQ(ring.memory(), 4096U);
  const ByteVector frame(1000, 0x55);
  for (int i = 0; i < 10'000; ++i) line->add(at(i), FrameWay::sent, frame);
  EXPECT_EQ(ring.memory(), FrameRing::kMostOfLine);
}

TEST(FrameRing, SharesEquallyAndTakesBackFromLinesThatAreGone) {
  FrameRing ring;
  ring.set_memory(80 * 1024);
  const ByteVector frame(1000, 0x55);
  const auto fill = [&](FrameLine& line) {
    for (int i = 0; i < 1000; ++i) line.add(at(i), FrameWay::sent, frame);
  };
  const auto one = ring.enter("a", {});
  fill(*one);
  EXPECT_EQ(one->memory(), 80U * 1024);
  auto two = ring.enter("b", {});
  EXPECT_EQ(one->memory(), 40U * 1024);
  fill(*two);
  fill(*one);
  EXPECT_EQ(ring.memory(), 80U * 1024);

  two.reset();  // its owner is made anew: what it had is there still
  EXPECT_FALSE(seqs(*ring.copy("b")).empty());
  two = ring.enter("b", {});
  ring.forget_unowned();
  EXPECT_FALSE(seqs(*ring.copy("b")).empty());

  two.reset();
  ring.forget_unowned();
  EXPECT_FALSE(ring.copy("b"));
  fill(*one);
  EXPECT_EQ(ring.memory(), 80U * 1024);
}

TEST(FrameRing, MoreLinesThanMemoryKeepNothingAndStayBounded) {
  FrameRing ring;
  ring.set_memory(8192);
  std::vector<std::shared_ptr<FrameLine>> lines;
  for (int i = 0; i < 3; ++i) lines.push_back(ring.enter(std::to_string(i), {}));
  for (const auto& line : lines) line->add(at(0), FrameWay::sent, hex("01"));
  EXPECT_EQ(ring.memory(), 0U);
  EXPECT_EQ(ring.copy("0")->newest, 0U);
}

TEST(FrameRing, CopiesOnlyWhatIsNewAndALittleBefore) {
  FrameRing ring;
  const auto line = ring.enter("a", {});
  const ByteVector frame(400, 0x55);
  for (int i = 0; i < 1000; ++i) line->add(at(i), FrameWay::sent, frame);
  const auto copy = ring.copy("a", 990);
  const auto kept = seqs(*copy);
  EXPECT_LE(copy->chunks.size(), 4U);
  EXPECT_LT(kept.front(), 991U);
  EXPECT_EQ(kept.back(), 1000U);
  EXPECT_TRUE(ring.copy("a", 1000)->chunks.empty());
  EXPECT_EQ(ring.copy("a", 1000)->newest, 1000U);
}

TEST(FrameRing, CutsAFrameThatIsTooLong) {
  FrameRing ring;
  const auto line = ring.enter("a", {});
  line->add(at(0), FrameWay::received, ByteVector(5000, 0x55));
  EXPECT_EQ(ring.copy("a")->frames().front().bytes.size(), FrameLine::kLongestFrame);
}

}  // namespace
}  // namespace lightship
