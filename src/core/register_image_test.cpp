// Registers by address: blocks, gaps, neighbours, ages.
#include "core/register_image.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace lightship {
namespace {

using namespace std::chrono_literals;
constexpr MonoTime kNow{100s};
using Outcome = RegisterImage::Outcome;

std::string read(const RegisterImage& image, Space space, std::uint32_t first, std::uint32_t count,
                 MonoTime oldest = kNow - 10s) {
  ByteVector out;
  switch (image.read(space, first, count, oldest, out)) {
    case Outcome::ok:
      return to_hex(out);
    case Outcome::not_polled:
      return "not polled";
    case Outcome::not_fresh:
      return "not fresh";
  }
  return "";
}

TEST(RegisterImage, GivesWhatWasReadInWireOrder) {
  RegisterImage image;
  image.declare({{Space::holding, 10, 3}});
  EXPECT_EQ(read(image, Space::holding, 10, 1), "not fresh");
  image.store(Space::holding, 10, 3, hex("00 01 00 02 00 03"), kNow);
  EXPECT_EQ(read(image, Space::holding, 11, 2), "00 02 00 03");
  EXPECT_EQ(read(image, Space::holding, 12, 2), "not polled");
  EXPECT_EQ(read(image, Space::holding, 9, 1), "not polled");
  EXPECT_EQ(read(image, Space::input, 10, 1), "not polled");
}

TEST(RegisterImage, ReadsNeighbouringBlocksAsOne) {
  RegisterImage image;
  image.declare({{Space::holding, 2, 2}, {Space::holding, 0, 2}});
  image.store(Space::holding, 0, 2, hex("00 01 00 02"), kNow);
  image.store(Space::holding, 2, 2, hex("00 03 00 04"), kNow - 60s);
  EXPECT_EQ(read(image, Space::holding, 1, 2, kNow - 61s), "00 02 00 03");
  EXPECT_EQ(read(image, Space::holding, 1, 2, kNow - 10s),
            "not fresh");  // as old as its older part
}

TEST(RegisterImage, PacksBitsFromAnyStart) {
  RegisterImage image;
  image.declare({{Space::coils, 3, 10}});
  image.store(Space::coils, 3, 10, hex("B5 02"), kNow);  // 1010 1101 01
  EXPECT_EQ(read(image, Space::coils, 3, 10), "B5 02");
  EXPECT_EQ(read(image, Space::coils, 5, 8), "AD");
  EXPECT_EQ(read(image, Space::coils, 12, 1), "01");
}

TEST(RegisterImage, KeepsWhatStaysDeclared) {
  RegisterImage image;
  image.declare({{Space::holding, 0, 1}, {Space::holding, 5, 1}});
  image.store(Space::holding, 0, 1, hex("00 07"), kNow);
  image.declare({{Space::holding, 0, 1}});
  EXPECT_EQ(read(image, Space::holding, 0, 1), "00 07");
  EXPECT_EQ(read(image, Space::holding, 5, 1), "not polled");
}

TEST(RegisterImage, ReachesTheLastAddressAndNoFurther) {
  RegisterImage image;
  image.declare({{Space::input, 65535, 1}});
  image.store(Space::input, 65535, 1, hex("AB CD"), kNow);
  EXPECT_EQ(read(image, Space::input, 65535, 1), "AB CD");
  EXPECT_EQ(read(image, Space::input, 65535, 2), "not polled");
}

// However the ranges lie to what is stored: each register has the newest value that was told for
// it.
TEST(RegisterImage, StoresEveryRegisterThatIsDeclared) {
  const std::vector<RegisterImage::Range> ranges{
      {Space::holding, 2, 3}, {Space::holding, 5, 1}, {Space::holding, 8, 4}, {Space::input, 0, 9}};
  for (std::uint16_t first = 0; first < 14; ++first) {
    for (std::uint16_t count = 1; count < 14; ++count) {
      RegisterImage image;
      image.declare(ranges);
      image.store(Space::holding, 0, 14, ByteVector(28, 0), kNow);
      ByteVector data;
      for (int i = 0; i < count; ++i) put_u16(data, static_cast<std::uint16_t>(0x0100 + i));
      image.store(Space::holding, first, count, data, kNow);
      for (std::uint16_t at = 0; at < 14; ++at) {
        const bool declared = (at >= 2 && at <= 5) || (at >= 8 && at <= 11);
        const bool told = at >= first && at < first + count;
        const auto expected = !declared ? std::string("not polled")
                              : told    ? fmt::format("01 {:02X}", at - first)
                                        : std::string("00 00");
        ASSERT_EQ(read(image, Space::holding, at, 1), expected) << first << "+" << count;
        ASSERT_EQ(read(image, Space::input, at, 1), at < 9 ? "not fresh" : "not polled");
      }
    }
  }
}

TEST(RegisterImage, DropsDataThatIsShorterThanItSays) {
  RegisterImage image;
  image.declare({{Space::holding, 0, 2}});
  image.store(Space::holding, 0, 2, hex("00 01"), kNow);
  EXPECT_EQ(read(image, Space::holding, 0, 2), "not fresh");
}

TEST(RegisterImage, GivesWhatWasWrittenUntilItIsReadAgain) {
  RegisterImage image;
  image.declare({{Space::holding, 0, 3}, {Space::coils, 8, 4}});
  image.store(Space::holding, 0, 3, hex("00 01 00 02 00 03"), kNow - 5s);
  image.patch(Space::holding, 1, 1, hex("00 2A"), kNow);
  EXPECT_EQ(read(image, Space::holding, 0, 3), "00 01 00 2A 00 03");
  // Read before the write, stored after it.
  image.store(Space::holding, 0, 3, hex("00 09 00 02 00 03"), kNow - 1s);
  EXPECT_EQ(read(image, Space::holding, 0, 3), "00 09 00 2A 00 03");
  image.store(Space::holding, 0, 3, hex("00 09 00 2B 00 03"), kNow + 1s);
  EXPECT_EQ(read(image, Space::holding, 0, 3), "00 09 00 2B 00 03");

  image.store(Space::coils, 8, 4, hex("00"), kNow);
  image.patch(Space::coils, 9, 2, hex("03"), kNow);
  EXPECT_EQ(read(image, Space::coils, 8, 4), "06");
}

TEST(RegisterImage, DoesNotMakeABlockYoungerByAWrite) {
  RegisterImage image;
  image.declare({{Space::holding, 0, 2}});
  image.patch(Space::holding, 0, 1, hex("00 2A"), kNow);
  EXPECT_EQ(read(image, Space::holding, 0, 2), "not fresh");
  image.store(Space::holding, 0, 2, hex("00 01 00 02"), kNow - 60s);
  image.patch(Space::holding, 0, 1, hex("00 2A"), kNow);
  EXPECT_EQ(read(image, Space::holding, 0, 1), "not fresh");
}

}  // namespace
}  // namespace lightship
