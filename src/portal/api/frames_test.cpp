// GET /api/diag/frames, asked without a socket; the live topic's news go the same way.
#include "portal/api/frames.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/hex.h"
#include "core/frame_ring.h"
#include "portal/testing/shop.h"

namespace lightship::portal {
namespace {

namespace json = boost::json;

// A protocol of one byte: 'u' is the unit, a request in front makes an answer of it.
FrameWords read(const RawFrame& frame, Bytes request) {
  FrameWords words;
  words.is_frame = true;
  if (!frame.bytes.empty()) words.unit = frame.bytes[0];
  words.summary = request.empty() ? "asked" : fmt::format("answer to {}", to_hex(request));
  if (frame.fault == FrameFault::bad_check) words.error = "bad check";
  return words;
}

struct Lines : Shop {
  Lines() {
    add_frames(router, field, clock, worker);
    const auto ring = FrameRing::of(context);
    hall = ring->enter("x/hall", {"mbrtu", read});
    attic = ring->enter("x/attic", {"mbrtu", read});
    const auto asked = hall->add(at(1), FrameWay::sent, hex("01 AA"));
    attic->add(at(2), FrameWay::sent, hex("02"));
    hall->add(at(1001), FrameWay::received, hex("01 BB"), FrameFault::none, asked);
    hall->add(at(1301), FrameWay::received, hex("05 CC"), FrameFault::bad_check, asked);
  }
  static Time at(std::int64_t us) { return Time(Duration(1'767'530'096'000'000 + us)); }
  json::object get(std::string query) {
    const auto answer = ask(router, "/api/diag/frames", std::move(query));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.text()).as_object();
  }
  std::vector<int> seqs(std::string query) {
    std::vector<int> found;
    for (const auto& frame : get(std::move(query)).at("items").as_array())
      found.push_back(frame.at("seq").to_number<int>());
    return found;
  }
  std::shared_ptr<FrameLine> hall, attic;
};

TEST(FramesApi, TellsAFrameInItsShape) {
  Lines lines;
  const auto answer = lines.get("line=x/hall&limit=2");
  EXPECT_EQ(
      json::serialize(answer.at("items").at(0)),
      R"({"seq":3,"time":"2026-01-04T12:34:56.001001Z","line":"x/hall","direction":"received",)"
      R"("bytes":"01 BB","unit":1,"function":null,"summary":"answer to 01 AA","error":null,)"
      R"("gap_us":1000})");
  EXPECT_EQ(answer.at("items").at(1).at("error").as_string(), "bad check");
  EXPECT_TRUE(answer.at("next").is_null());
}

TEST(FramesApi, FiltersByLineKindAndText) {
  Lines lines;
  EXPECT_EQ(lines.seqs(""), (std::vector{1, 2, 3, 4}));
  EXPECT_EQ(lines.seqs("line=x/attic"), (std::vector{2}));
  EXPECT_EQ(lines.seqs("kind=sent"), (std::vector{1, 2}));
  EXPECT_EQ(lines.seqs("kind=error"), (std::vector{4}));
  EXPECT_EQ(lines.seqs("text=ANSWER"), (std::vector{3, 4}));
  EXPECT_EQ(lines.seqs("text=05+cc"), (std::vector{4}));
}

TEST(FramesApi, FiltersByDevice) {
  Lines lines;
  DeviceInfo info;
  info.connection = "hall";
  info.client = "meter";
  info.unit = 5;
  lines.catalog.device(info);
  EXPECT_EQ(lines.seqs("device=hall/meter"), (std::vector{4}));
  EXPECT_EQ(lines.ask(lines.router, "/api/diag/frames", "device=hall/none").status, 404);
}

TEST(FramesApi, GoesOnFromAFrame) {
  Lines lines;
  EXPECT_EQ(lines.seqs("after=2"), (std::vector{3, 4}));
  const auto first = lines.get("after=0&limit=2");
  EXPECT_EQ(first.at("next").as_string(), "2");
  EXPECT_EQ(lines.seqs("after=4"), (std::vector<int>{}));
}

TEST(FramesApi, RefusesWhatIsNotThere) {
  Lines lines;
  EXPECT_EQ(lines.ask(lines.router, "/api/diag/frames", "line=x/cellar").status, 404);
  EXPECT_EQ(lines.ask(lines.router, "/api/diag/frames.pcapng", "line=x/cellar").status, 404);
  EXPECT_EQ(lines.ask(lines.router, "/api/diag/frames", "kind=odd").status, 422);
  EXPECT_EQ(lines.ask(lines.router, "/api/diag/frames", "limit=0").status, 422);
}

TEST(FramesApi, GivesACapture) {
  Lines lines;
  const auto answer = lines.ask(lines.router, "/api/diag/frames.pcapng", "line=x/hall");
  const auto file = lines.all_pieces(answer);
  EXPECT_EQ(file.substr(0, 4), "\n\r\r\n");
  EXPECT_NE(file.find("x/hall"), std::string::npos);
  EXPECT_EQ(file.find("x/attic"), std::string::npos);
  EXPECT_NE(file.find("bad check"), std::string::npos);
}

// Each holds a copy of all that the lines have kept until it is sent.
TEST(FramesApi, GivesAFewCapturesAtOnceAndNoMore) {
  Lines lines;
  const auto get = [&] { return lines.ask(lines.router, "/api/diag/frames.pcapng"); };
  auto first = std::make_unique<Response>(get());
  const auto second = get();
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(second.status, 200);
  const auto third = get();
  EXPECT_EQ(third.status, 503);
  EXPECT_NE(third.text().find("2 captures are on their way already"), std::string::npos);
  EXPECT_EQ(lines.get("").at("items").as_array().size(), 4u);  // who only looks is not kept out
  first.reset();
  EXPECT_EQ(get().status, 200);
}

}  // namespace
}  // namespace lightship::portal
