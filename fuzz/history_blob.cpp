// Blobs of history.db are read from disk: any bytes are decoded without harm, and what decodes as a
// raw block or as roll-ups comes out the same when it is written again. Input: which decoder, then
// the blob.
#include <cstdint>
#include <cstdlib>

#include "store/history/column.h"
#include "store/history/file.h"
#include "store/history/raw_block.h"
#include "store/history/rollup_code.h"

namespace {

using namespace lightship;
using namespace lightship::history;

void require(bool holds) {
  if (!holds) std::abort();
}

// The roll-ups of a run may be absurd; a bound keeps the target fast, as retention does a file.
constexpr std::size_t kEnough = 100'000;

void raw_block(Bytes blob) {
  struct Seen {
    std::size_t row, member;
    Millis at;
    Format format;
    Sample sample;
  };
  std::vector<Seen> seen;
  const auto done = decode_raw_block(
      blob, 0, [&](std::size_t row, Millis at, std::size_t member, const Cell& cell) {
        require(member < kMostMembers);
        require(cell.text.size() <= kLongestText);
        if (seen.size() < kEnough)
          seen.push_back({row, member, at, cell.format, sample_of(at, cell)});
      });
  if (!done || seen.empty() || seen.size() == kEnough) return;
  RawBlock again(kMostMembers);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (i == 0 || seen[i].row != seen[i - 1].row) {
      if (i > 0) again.end_row();
      again.begin_row(seen[i].at);
    }
    again.add(seen[i].member, seen[i].sample.value, seen[i].sample.reason, seen[i].sample.code);
  }
  again.end_row();
  const auto base = again.base();
  std::size_t at = 0;
  require(decode_raw_block(again.take(), base,
                           [&](std::size_t, Millis time, std::size_t member, const Cell& cell) {
                             require(at < seen.size() && seen[at].at == time);
                             require(seen[at].member == member);
                             require(sample_of(time, cell).reason == seen[at].sample.reason);
                             // A number may come in a format that it would not be given here.
                             require(cell.format != seen[at].format ||
                                     to_text(sample_of(time, cell).value) ==
                                         to_text(seen[at].sample.value));
                             ++at;
                           })
              .has_value());
  require(at == seen.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes blob(data + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      raw_block(blob);
      break;
    case 1:
      (void)decode_rollup_block(blob, 0, [](std::size_t member, const Rollup& rollup) {
        require(member < kMostMembers);
        require(rollup.good <= window_of(Tier::minute));
      });
      break;
    case 2: {
      std::size_t rows = 0;
      (void)decode_rollups(Tier::hour, 0, blob, [&](const Rollup&) { ++rows; });
      require(rows <= blob.size());
      break;
    }
    case 3: {
      const auto times = decode_times(0, size, blob);
      require(!times || times->size() == size);
      (void)decode_times(0, blob.size() / 2, blob);
      break;
    }
    case 4: {
      ColumnReader column(blob);
      Cell cell;
      // A run of equal rows may be long: that is what a chunk's rows bound.
      for (std::size_t row = 0; row < kEnough && column.next(cell); ++row) (void)sample_of(0, cell);
      break;
    }
    default:
      require(decode_members(blob).size() <= kMostMembers);
  }
  return 0;
}
