// Frames in words, and what the taps of the conversations keep.
#include "sources/modbus/frame_words.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "base/manual_clock.h"
#include "codec/modbus/ascii.h"
#include "codec/modbus/rtu.h"
#include "sources/modbus/frame_tap.h"

namespace lightship::poller {
namespace {

const ByteVector kAsked = modbus::rtu::frame(1, hex("03 0B D3 00 0A"));

FrameWords rtu(FrameWay way, const ByteVector& bytes, FrameFault fault = FrameFault::none,
               Bytes request = kAsked) {
  return read_rtu_frame({1, {}, way, fault, 0, bytes}, request);
}

TEST(FrameWords, OfARequest) {
  const auto words = rtu(FrameWay::sent, kAsked, FrameFault::none, {});
  EXPECT_EQ(words.unit, 1);
  EXPECT_EQ(words.function, 3);
  EXPECT_EQ(words.summary, "read 10 holding registers at 3027");
  EXPECT_EQ(words.error, "");
  EXPECT_TRUE(words.is_frame);
}

TEST(FrameWords, OfAWriteWithItsFirstValues) {
  const auto frame = modbus::rtu::frame(7, hex("10 00 10 00 05 0A 00 01 00 02 00 03 00 04 00 05"));
  EXPECT_EQ(rtu(FrameWay::sent, frame).summary, "write 5 registers at 16: 1, 2, 3, 4, ...");
}

TEST(FrameWords, OfAnAnswerAndOfAnException) {
  const auto answer = modbus::rtu::frame(1, hex("03 14" + std::string(40, '0')));
  EXPECT_EQ(rtu(FrameWay::received, answer).summary, "answer: 10 registers");
  EXPECT_EQ(rtu(FrameWay::received, answer, FrameFault::none, {}).summary,
            "answer: read holding registers, 22 bytes");
  const auto refused = rtu(FrameWay::received, modbus::rtu::frame(1, hex("83 02")));
  EXPECT_EQ(refused.function, 3);
  EXPECT_EQ(refused.summary, "exception 2: address range not served");
  EXPECT_EQ(refused.error, "exception 2");
}

TEST(FrameWords, OfADamagedFrame) {
  auto bytes = modbus::rtu::frame(1, hex("03 02 12 34"));
  bytes.back() ^= 1;
  const auto words = rtu(FrameWay::received, bytes, FrameFault::bad_check);
  EXPECT_EQ(words.error, "bad CRC");
  EXPECT_EQ(words.unit, 1);
  EXPECT_EQ(words.summary, "perhaps read holding registers, 7 bytes");
  EXPECT_TRUE(words.is_frame);
}

TEST(FrameWords, OfNothingAndOfNoise) {
  const auto nothing = rtu(FrameWay::received, {}, FrameFault::no_answer);
  EXPECT_EQ(nothing.unit, 1);
  EXPECT_EQ(nothing.error, "no answer");
  EXPECT_EQ(nothing.summary, "nothing came to: read 10 holding registers at 3027");
  const auto noise = rtu(FrameWay::received, hex("FF 00 FF 00 FF"), FrameFault::noise);
  EXPECT_EQ(noise.unit, std::nullopt);
  EXPECT_EQ(noise.error, "noise");
  EXPECT_EQ(noise.summary, "5 bytes");
  EXPECT_FALSE(noise.is_frame);
}

TEST(FrameWords, OfAsciiAreTheSameAndDissectedAsRtu) {
  const auto text = modbus::ascii::frame(1, hex("03 0B D3 00 0A"));
  const ByteVector bytes(text.begin(), text.end());
  const auto words = read_ascii_frame({1, {}, FrameWay::sent, FrameFault::none, 0, bytes}, {});
  EXPECT_EQ(words.summary, "read 10 holding registers at 3027");
  EXPECT_EQ(words.dissected, kAsked);
  auto damaged = bytes;
  damaged[3] = '4';
  const auto bad =
      read_ascii_frame({1, {}, FrameWay::received, FrameFault::bad_check, 0, damaged}, {});
  EXPECT_EQ(bad.error, "bad LRC");
  EXPECT_TRUE(bad.dissected.empty());
}

TEST(FrameWords, OfModbusTcp) {
  const auto request = hex("00 07 00 00 00 06 05 01 00 13 00 25");
  const auto asked = read_mbap_frame({1, {}, FrameWay::sent, FrameFault::none, 0, request}, {});
  EXPECT_EQ(asked.unit, 5);
  EXPECT_EQ(asked.summary, "read 37 coils at 19");
  const auto late = read_mbap_frame({1,
                                     {},
                                     FrameWay::received,
                                     FrameFault::late,
                                     0,
                                     hex("00 07 00 00 00 08 05 01 05 CD 6B B2 0E 1B")},
                                    request);
  EXPECT_EQ(late.error, "late");
  EXPECT_EQ(late.summary, "answer: 37 bits");
  const auto other = hex("48 54 54 50 2F 31");
  EXPECT_EQ(
      read_mbap_frame({1, {}, FrameWay::received, FrameFault::lost_framing, 0, other}, {}).error,
      "not Modbus");
}

struct Tapped {
  asio::io_context loop;
  ManualClock clock{loop};
  FrameRing ring;
  std::shared_ptr<FrameLine> line = ring.enter("modbus/hall", {"mbrtu", read_rtu_frame});
  FrameTap tap{line, clock};

  // "sent 01 03", "received 01 83 bad CRC"
  std::vector<std::string> told() const {
    std::vector<std::string> all;
    const auto copy = *ring.copy("modbus/hall");
    for (const auto& frame : copy.frames()) {
      const auto words = read_rtu_frame(frame, kAsked);
      all.push_back(fmt::format("{} {}{}{}", frame.way == FrameWay::sent ? "sent" : "received",
                                to_hex(frame.bytes), words.error.empty() ? "" : " ! ",
                                words.error));
    }
    return all;
  }
};

TEST(FrameTap, PutsAnAnswerTogetherAndTellsWhatWasAroundIt) {
  Tapped line;
  line.tap.sent(kAsked);
  line.tap.heard(hex("00 FF 01 83"));
  line.tap.heard(hex("02 C0 F1 55"));
  modbus::Rejects rejects;
  rejects.noise_bytes = 2;
  line.tap.answered(5, 1, rejects);
  EXPECT_EQ(line.told(), (std::vector<std::string>{
                             "sent " + to_hex(kAsked), "received 00 FF ! noise",
                             "received 01 83 02 C0 F1 ! exception 2", "received 55 ! noise"}));
}

TEST(FrameTap, TellsThatNothingCameAndWhatCameLate) {
  Tapped line;
  line.tap.sent(kAsked);
  line.tap.over({}, false, false);
  line.tap.stray(hex("01 83 02 C0 F1"));
  line.tap.sent(kAsked);
  line.tap.heard(hex("01 83 02 C0 F1"));
  line.tap.answered(5, 0, {});
  line.tap.over({}, false, false);  // a second answer was waited for
  line.tap.stray(hex("00"));
  const auto asked = "sent " + to_hex(kAsked);
  EXPECT_EQ(line.told(),
            (std::vector<std::string>{
                asked, "received  ! no answer", "received 01 83 02 C0 F1 ! late", asked,
                "received 01 83 02 C0 F1 ! exception 2", "received 00 ! noise"}));
}

TEST(FrameTap, TellsPartsAndDamage) {
  Tapped line;
  line.tap.sent(kAsked);
  line.tap.heard(hex("01 03 14 00"));
  line.tap.over({}, true, false);
  line.tap.sent(kAsked);
  line.tap.heard(hex("01 83 02 C0 F2"));
  modbus::Rejects bad;
  bad.crc = 1;
  line.tap.over(bad, false, false);
  const auto told = line.told();
  ASSERT_EQ(told.size(), 4U);
  EXPECT_EQ(told[3], "received 01 83 02 C0 F2 ! bad CRC");
  EXPECT_EQ(read_rtu_frame(line.ring.copy("modbus/hall")->frames()[1], kAsked).error, "bad CRC");
}

TEST(FrameTap, SurvivesALineThatBabbles) {
  Tapped line;
  line.tap.sent(kAsked);
  for (int i = 0; i < 100; ++i) line.tap.heard(ByteVector(512, 0x55));
  line.tap.over({}, false, false);
  EXPECT_EQ(line.told().size(), 51U);
}

}  // namespace
}  // namespace lightship::poller
