// Roll-ups as bytes: in the journal one window of a whole layout, in a chunk many windows of one
// series.
//
//   roll-up = flags, [format], last (difference to the one before), [min and max to last, average],
//             [count], [good ms], [increase], [reason, code]
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "store/history/number.h"

namespace lightship::history {

// Both sides keep the one before, so that a roll-up is written as what is new in it.
class RollupWriter {
 public:
  explicit RollupWriter(Millis window) : window_(window) {}
  void put(ByteVector& out, const Rollup& rollup);

 private:
  Millis window_;
  Format format_ = Format::absent;
  std::int64_t last_ = 0;
  std::uint32_t count_ = 0;
};

class RollupReader {
 public:
  explicit RollupReader(Millis window) : window_(window) {}
  bool get(Reader& in, Rollup& rollup);  // false: malformed

 private:
  Millis window_;
  Format format_ = Format::absent;
  std::int64_t last_ = 0;
  std::uint32_t count_ = 0;
};

// One window of a layout. Members rise.
class RollupBlock {
 public:
  RollupBlock() : writer_(window_of(Tier::minute)) {}
  void add(std::size_t member, const Rollup& rollup);
  bool empty() const { return rows_ == 0; }
  std::size_t rows() const { return rows_; }
  ByteVector take() { return std::move(bytes_); }

 private:
  RollupWriter writer_;
  ByteVector bytes_;
  std::size_t rows_ = 0, next_ = 0;
};
using OnRollup = std::function<void(std::size_t member, const Rollup&)>;
Result<void> decode_rollup_block(Bytes bytes, Millis start, const OnRollup& each);

// Many windows of one series, by rising start.
ByteVector encode_rollups(Tier tier, const std::vector<Rollup>& rows);
// The start of the first is `start`.
Result<void> decode_rollups(Tier tier, Millis start, Bytes bytes,
                            const std::function<void(const Rollup&)>& each);

}  // namespace lightship::history
