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

TEST(RegisterImage, DropsDataThatIsShorterThanItSays) {
  RegisterImage image;
  image.declare({{Space::holding, 0, 2}});
  image.store(Space::holding, 0, 2, hex("00 01"), kNow);
  EXPECT_EQ(read(image, Space::holding, 0, 2), "not fresh");
}

}  // namespace
}  // namespace lightship
