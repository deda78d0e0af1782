// What a listener makes of a line that others use.
#include "codec/modbus/listener.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "codec/modbus/ascii.h"
#include "codec/modbus/reply.h"
#include "codec/modbus/rtu.h"

namespace lightship::modbus {
namespace {

using namespace std::chrono_literals;

// A line of 9600 8N1: what is said comes character by character, a `pause` after what came before.
template <class L = rtu::Listener>
struct Line {
  L listener{{.character = 1'041'667ns, .pause = 3'645'833ns, .silence = 50ms}};
  std::chrono::nanoseconds now{};
  std::chrono::nanoseconds character = 1'041'667ns;

  void say(Bytes bytes, std::chrono::nanoseconds pause = 5ms) {
    now += pause;
    for (const auto& byte : bytes) {
      now += character;
      listener.feed(Bytes(&byte, 1), now);
    }
  }
  void say(std::string_view text, std::chrono::nanoseconds pause = 5ms) { say(hex(text), pause); }
  void frame(std::uint8_t unit, std::string_view pdu, std::chrono::nanoseconds pause = 5ms) {
    say(rtu::frame(unit, hex(pdu)), pause);
  }
  // "request 1 read 2 holding registers at 0; answer 1 good; noise 00"
  std::string told() {
    listener.flush();
    std::string text;
    while (const auto heard = listener.next()) {
      if (!text.empty()) text += "; ";
      text += to_string(heard->kind);
      if (heard->kind == Overheard::Kind::noise) {
        text += " " + to_hex(heard->bytes);
        continue;
      }
      text += fmt::format(" {}", heard->unit);
      if (heard->kind == Overheard::Kind::damaged) continue;
      if (heard->kind == Overheard::Kind::answer) text += fmt::format(" {}", to_string(heard->fit));
      if (heard->kind == Overheard::Kind::request)
        text += heard->request ? " " + describe(*heard->request) : " ?";
      if (heard->repeated) text += " again";
    }
    return text;
  }
};

TEST(Listener, TellsARequestAndItsAnswerApart) {
  Line<> line;
  line.say("01 03 00 00 00 02 C4 0B");
  line.say("01 03 04 43 66 80 00 6E 68", 20ms);
  EXPECT_EQ(line.told(), "request 1 read 2 holding registers at 0; answer 1 good");
}

TEST(Listener, KnowsWhenEachWasOnTheLineAndHowLongTheDeviceTook) {
  Line<> line;
  line.say("01 03 00 00 00 02 C4 0B", 10ms);
  line.say("01 03 04 43 66 80 00 6E 68", 20ms);
  const auto request = line.listener.next();
  const auto answer = line.listener.next();
  EXPECT_EQ(request->begin, 10ms);
  EXPECT_EQ(request->end, 10ms + 8 * line.character);
  EXPECT_EQ(answer->gap, 20ms);
  EXPECT_EQ(answer->answer_time, 20ms);
}

TEST(Listener, FindsTheSameInBytesThatWereReadTogether) {
  Line<> line;
  line.listener.feed(hex("01 03 00 00 00 02 C4 0B 01 03 04 43 66 80 00 6E 68"), 40ms);
  EXPECT_EQ(line.told(), "request 1 read 2 holding registers at 0; answer 1 good");
}

// The answer of three bytes to function 1 is as long as a request.
TEST(Listener, TakesAnAnswerOfARequestsLengthForAnAnswer) {
  Line<> line;
  line.frame(1, "01 00 00 00 14");
  line.frame(1, "01 03 05 00 0C");
  line.frame(1, "01 00 00 00 14", 200ms);
  EXPECT_EQ(line.told(),
            "request 1 read 20 coils at 0; answer 1 good; request 1 read 20 coils at 0");
}

TEST(Listener, TakesTheSameFrameSoonAfterAWriteForItsAnswer) {
  Line<> line;
  line.frame(2, "06 00 10 00 01");
  line.frame(2, "06 00 10 00 01", 30ms);
  line.frame(2, "06 00 10 00 02", 30ms);
  EXPECT_EQ(line.told(),
            "request 2 write register 16 = 1; answer 2 good; request 2 write register 16 = 2");
}

TEST(Listener, TakesTheSameFrameLongAfterAWriteForASecondTry) {
  Line<> line;
  line.frame(2, "06 00 10 00 01");
  line.frame(2, "06 00 10 00 01", 1s);
  line.frame(2, "06 00 10 00 01", 30ms);
  EXPECT_EQ(line.told(),
            "request 2 write register 16 = 1; request 2 write register 16 = 1 again; "
            "answer 2 good");
}

TEST(Listener, HearsThatNobodyAnswersAndThatTheMasterTriesAgain) {
  Line<> line;
  line.frame(9, "03 00 00 00 01");
  line.frame(9, "03 00 00 00 01", 500ms);
  line.frame(1, "03 00 00 00 01", 500ms);
  EXPECT_EQ(line.told(),
            "request 9 read 1 holding register at 0; request 9 read 1 holding register at 0 again; "
            "request 1 read 1 holding register at 0");
}

TEST(Listener, SaysWhatDoesNotAnswerWhatWasAsked) {
  Line<> line;
  line.frame(1, "03 00 00 00 02");
  line.frame(1, "03 02 00 01");
  line.frame(7, "03 02 00 01");
  line.frame(1, "83 02");
  EXPECT_EQ(line.told(),
            "request 1 read 2 holding registers at 0; answer 1 wrong; answer 7 unasked; "
            "answer 1 good");
}

TEST(Listener, ExpectsNoAnswerToABroadcast) {
  Line<> line;
  line.frame(0, "06 00 10 00 01");
  line.frame(0, "06 00 10 00 01", 100ms);
  EXPECT_EQ(line.told(), "request 0 write register 16 = 1; request 0 write register 16 = 1");
}

TEST(Listener, TellsNoiseAroundFramesByteByByte) {
  Line<> line;
  line.say("00", 100ms);
  line.frame(1, "03 00 00 00 02", 0ms);
  line.say("FF FF", 0ms);
  line.frame(1, "03 04 43 66 80 00", 0ms);
  EXPECT_EQ(line.told(),
            "noise 00; request 1 read 2 holding registers at 0; noise FF FF; answer 1 good");
}

TEST(Listener, TellsADamagedFrameAndIsNotHeldUpByIt) {
  Line<> line;
  line.say("01 03 FF 00 00 02 C4 0B");  // as an answer it would have 260 bytes
  line.frame(2, "03 00 00 00 01", 20ms);
  EXPECT_EQ(line.listener.next()->kind, Overheard::Kind::damaged);
  EXPECT_EQ(line.told(), "request 2 read 1 holding register at 0");
}

// A collision: two answers in one piece, neither with a good check.
TEST(Listener, TellsADamagedAnswerOfTheAskedUnit) {
  Line<> line;
  line.frame(1, "03 00 00 00 02");
  line.say("01 03 04 43 E7 80 10 6E 68", 20ms);
  line.frame(1, "03 00 00 00 02", 500ms);
  EXPECT_EQ(line.told(),
            "request 1 read 2 holding registers at 0; damaged 1; "
            "request 1 read 2 holding registers at 0 again");
}

// The length of a damaged answer is believed, so that neither a pause in it nor noise behind
// matters.
TEST(Listener, KeepsADamagedAnswerInOnePiece) {
  Line<> line;
  line.frame(1, "03 00 00 00 02");
  line.say("01 03 04 43", 20ms);
  line.say("E7 80 10 6E 68 FF 00", 8ms);
  EXPECT_EQ(line.told(), "request 1 read 2 holding registers at 0; damaged 1; noise FF 00");
}

TEST(Listener, TakesVendorsFunctionsByTheirCheck) {
  Line<> line;
  line.frame(1, "41 24 01 00");
  line.frame(1, "41 24 11 00 11", 20ms);
  EXPECT_EQ(line.told(), "request 1 ?; answer 1 good");
}

TEST(Listener, TakesAnImpossibleRequestForARequest) {
  Line<> line;
  line.frame(1, "03 00 00 00 00");
  line.frame(1, "83 03", 20ms);
  EXPECT_EQ(line.told(), "request 1 ?; answer 1 good");
}

TEST(Listener, LosesNoByteOfALineThatBabbles) {
  Line<> line;
  ByteVector babble(5000, 0x55);
  line.say(babble);
  line.listener.flush();
  std::size_t bytes = 0;
  while (const auto heard = line.listener.next()) bytes += heard->bytes.size();
  EXPECT_EQ(bytes, 5000u);
}

TEST(AsciiListener, CutsFramesByColonAndLineEnd) {
  Line<ascii::Listener> line;
  const auto say = [&](const std::string& text) {
    line.say(ByteVector(text.begin(), text.end()), 100ms);
  };
  say("x" + ascii::frame(1, hex("03 00 6B 00 03")));
  say(ascii::frame(1, hex("03 06 00 01 00 02 00 03")));
  say(":0103006B00038F\r\n");
  say(":0103" + ascii::frame(2, hex("01 00 00 00 08")));
  EXPECT_EQ(line.told(),
            "noise 78; request 1 read 3 holding registers at 107; answer 1 good; damaged 0; "
            "damaged 0; request 2 read 8 coils at 0");
}

}  // namespace
}  // namespace lightship::modbus
