// What goes into blobs comes out of them, and damaged ones are refused.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "store/history/column.h"
#include "store/history/raw_block.h"
#include "store/history/rollup_code.h"

namespace lightship::history {
namespace {

struct Row {
  Millis at;
  std::size_t member;
  Value value;
  Reason reason = Reason::none;
};

std::vector<Sample> through_a_block(const std::vector<Row>& rows, std::size_t members,
                                    std::size_t* bytes = nullptr) {
  RawBlock block(members);
  std::optional<Millis> open;
  for (const auto& row : rows) {
    if (open && *open != row.at) block.end_row();
    if (open != row.at) block.begin_row(row.at);
    open = row.at;
    block.add(row.member, row.value, row.reason, 2);
  }
  block.end_row();
  const auto base = block.base();
  const auto encoded = block.take();
  if (bytes != nullptr) *bytes = encoded.size();
  std::vector<Sample> out;
  const auto done =
      decode_raw_block(encoded, base, [&](std::size_t, Millis at, std::size_t, const Cell& cell) {
        out.push_back(sample_of(at, cell));
      });
  EXPECT_TRUE(done.has_value());
  return out;
}

TEST(RawBlock, GivesBackEveryKindOfValueAsItWas) {
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<Value> values = {Value{true},
                                     Value{std::int64_t{-5}},
                                     Value{std::numeric_limits<std::int64_t>::min()},
                                     Value{std::uint64_t{18446744073709551615u}},
                                     Value{Real{230.1, 1}},
                                     Value{Real{-0.05, 2}},
                                     Value{Real{230.100006103515625, Real::kShortestFloat}},
                                     Value{Real{-1e-30f, Real::kShortestFloat}},
                                     Value{Real{1.0 / 3, Real::kShortest}},
                                     Value{Real{-inf, Real::kShortest}},
                                     Value{Real{1e300, 2}},
                                     Value{std::string("on, \"quoted\"")}};
  for (const auto& value : values) {
    const auto out = through_a_block({{1000, 3, value}, {2000, 3, value}}, 8);
    ASSERT_EQ(out.size(), 2u);
    EXPECT_EQ(out[0].value, value) << to_text(value);
    EXPECT_EQ(out[1].value, value) << to_text(value);
    EXPECT_EQ(out[1].at, 2000);
  }
}

TEST(RawBlock, KeepsWhyThereIsNoValue) {
  const auto out = through_a_block({{0, 0, {}, Reason::exception}, {5, 0, Real{1, 1}}}, 1);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].reason, Reason::exception);
  EXPECT_EQ(out[0].code, 2);
  EXPECT_EQ(out[1].reason, Reason::none);
}

TEST(RawBlock, TakesAboutTwoBytesForAValueThatMovesLittle) {
  std::vector<Row> rows;
  for (int i = 0; i < 100; ++i) {
    for (std::size_t m = 0; m < 30; ++m)
      rows.push_back({i * 1000, m, Real{(2300 + (i * 7 + static_cast<int>(m)) % 11) / 10.0, 1}});
  }
  std::size_t bytes = 0;
  const auto out = through_a_block(rows, 30, &bytes);
  EXPECT_EQ(out.size(), 3000u);
  EXPECT_LT(bytes, 3000u * 3 / 2);
}

TEST(RawBlock, RefusesBytesThatAreCutOff) {
  RawBlock block(4);
  block.begin_row(0);
  block.add(0, Real{230.1, 1}, Reason::none, 0);
  block.add(1, Real{230.1f, Real::kShortestFloat}, Reason::none, 0);
  block.end_row();
  const auto whole = block.take();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto done = decode_raw_block(Bytes(whole).first(size), 0,
                                       [](std::size_t, Millis, std::size_t, const Cell&) {});
    EXPECT_FALSE(done.has_value()) << size;
  }
}

TEST(Column, GivesBackValuesGapsAndReasons) {
  ColumnWriter writer;
  const std::vector<std::pair<std::size_t, Cell>> cells = {
      {0, cell_of(Real{1.5, 1}, Reason::none, 0)},
      {1, cell_of(Real{1.5, 1}, Reason::none, 0)},
      {2, cell_of(Real{1.5, 1}, Reason::none, 0)},
      {3, cell_of(Real{1.6, 1}, Reason::none, 0)},
      {6, cell_of({}, Reason::timeout, 0)},
      {7, cell_of({}, Reason::timeout, 0)},
      {8, cell_of(std::string("text"), Reason::none, 0)}};
  for (const auto& [row, cell] : cells) writer.add(row, cell);
  const auto bytes = writer.take(10);
  ColumnReader reader(bytes);
  Cell cell;
  std::vector<std::string> seen;
  while (reader.next(cell))
    seen.push_back(cell.format == Format::absent ? "absent"
                   : cell.format == Format::bad  ? "bad"
                                                 : to_text(sample_of(0, cell).value));
  EXPECT_FALSE(reader.malformed());
  EXPECT_EQ(seen, (std::vector<std::string>{"1.5", "1.5", "1.5", "1.6", "absent", "absent", "bad",
                                            "bad", "text", "absent"}));
}

TEST(Times, TakeAByteEachWhenTheyAreRegular) {
  TimeWriter writer(1'000'000);
  std::vector<Millis> times;
  for (int i = 0; i < 1000; ++i) times.push_back(1'000'000 + i * 10'000);
  for (const auto at : times) writer.add(at);
  const auto bytes = writer.take();
  EXPECT_LT(bytes.size(), 1010u);
  EXPECT_EQ(decode_times(1'000'000, 1000, bytes).value(), times);
  EXPECT_FALSE(decode_times(1'000'000, 1001, bytes).has_value());
}

Rollup window(Millis start, double value) {
  return {.start = start,
          .min = value - 0.5,
          .max = value + 0.5,
          .avg = value + 0.01,
          .last = value,
          .count = 6,
          .good = 60'000,
          .format = static_cast<Format>(17)};
}

void expect_same(const Rollup& a, const Rollup& b) {
  EXPECT_EQ(a.start, b.start);
  EXPECT_NEAR(a.min, b.min, 1e-9);
  EXPECT_NEAR(a.max, b.max, 1e-9);
  EXPECT_NEAR(a.avg, b.avg, 1e-3);
  EXPECT_NEAR(a.last, b.last, 1e-9);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.good, b.good);
  EXPECT_NEAR(a.increase, b.increase, 1e-9);
  EXPECT_EQ(a.reason, b.reason);
}

TEST(Rollups, ComeBackWithTheirGaps) {
  std::vector<Rollup> rows = {window(0, 230.1), window(60'000, 230.2), window(600'000, 229.9)};
  rows[1].good = 30'500;
  rows[1].reason = Reason::timeout;
  rows[2].increase = 12.5;
  rows.push_back({.start = 660'000, .reason = Reason::crc});
  rows.push_back({.start = 720'000,
                  .min = 5,
                  .max = 5,
                  .avg = 5,
                  .last = 5,
                  .count = 6,
                  .good = 60'000,
                  .format = Format::i64});
  rows.push_back({.start = 780'000,
                  .min = 1e30,
                  .max = 1e30,
                  .avg = 1e30,
                  .last = 1e30,
                  .count = 1,
                  .good = 10,
                  .format = Format::f64});
  std::vector<Rollup> out;
  const auto bytes = encode_rollups(Tier::minute, rows);
  ASSERT_TRUE(decode_rollups(Tier::minute, 0, bytes, [&](const Rollup& r) { out.push_back(r); }));
  ASSERT_EQ(out.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) expect_same(out[i], rows[i]);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    // Cut off, it is refused or gives fewer rows; it never gives others.
    std::size_t count = 0;
    (void)decode_rollups(Tier::minute, 0, Bytes(bytes).first(size),
                         [&](const Rollup&) { ++count; });
    EXPECT_LT(count, rows.size());
  }
}

TEST(Rollups, OfALayoutKeepTheirPlaces) {
  RollupBlock block;
  block.add(0, window(60'000, 230.1));
  block.add(3, window(60'000, 11.5));
  std::vector<std::pair<std::size_t, Rollup>> out;
  ASSERT_TRUE(decode_rollup_block(block.take(), 60'000, [&](std::size_t member, const Rollup& r) {
    out.emplace_back(member, r);
  }));
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[1].first, 3u);
  expect_same(out[1].second, window(60'000, 11.5));
}

TEST(Rollups, OfFloatsKeepEveryDigit) {
  RollupBlock block;
  Rollup in{.start = 0,
            .min = 229.87f,
            .max = 230.4f,
            .avg = 230.1f,
            .last = 230.1234f,
            .count = 3,
            .good = 60'000,
            .format = Format::f32};
  block.add(0, in);
  ASSERT_TRUE(decode_rollup_block(block.take(), 0, [&](std::size_t, const Rollup& out) {
    EXPECT_EQ(out.min, in.min);
    EXPECT_EQ(out.max, in.max);
    EXPECT_EQ(out.avg, in.avg);
    EXPECT_EQ(out.last, in.last);
  }));
}

TEST(Combine, WeighsTheAverageByTime) {
  Rollup a{.start = 0, .min = 1, .max = 3, .avg = 2, .last = 3, .count = 2, .good = 40'000};
  combine(a, {.start = 0, .min = 0, .max = 9, .avg = 8, .last = 9, .count = 1, .good = 20'000});
  EXPECT_EQ(a.avg, 4);
  EXPECT_EQ(a.min, 0);
  EXPECT_EQ(a.max, 9);
  EXPECT_EQ(a.last, 9);
  EXPECT_EQ(a.count, 3u);
  EXPECT_EQ(coverage(a, 60'000), 100);
}

}  // namespace
}  // namespace lightship::history
