// A block of raw values as the journal keeps them: the rows of one layout (up to 256 series) in the
// order they came, each value as the difference to the one before it in its series.
//
//   row    = time (signed, ms since the row before; the first since the block's base), tokens, 1
//   token  = even: the next series, its format as before; token/2 is the zigzag difference
//          | odd, n = token/2 - 1: n/2 series are passed over; n odd: format as the value before in
//            this row, else a format byte follows; then the value itself: a number by its integer
//            (32-bit floats as 4 bytes), a text by length and bytes, a bad one by reason and code
//
// All of it from disk is untrusted: a decoder stops with `malformed`, and what it gave out so far
// stands.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/history/number.h"

namespace lightship::history {

constexpr std::size_t kMostMembers = 256;  // of one layout
constexpr std::size_t kLongestText = 1024;

// One value between its bytes and its meaning.
struct Cell {
  Format format = Format::absent;
  std::int64_t integer = 0;  // a number, or reason << 8 | code
  std::string text;
};
Cell cell_of(const Value& value, Reason reason, std::uint8_t code);
Sample sample_of(Millis at, const Cell& cell);

class RawBlock {
 public:
  explicit RawBlock(std::size_t members) : known_(members) {}

  // Rows are opened with rising or falling times; members rise within a row.
  void begin_row(Millis at);
  void add(std::size_t member, const Value& value, Reason reason, std::uint8_t code);
  void end_row();

  bool empty() const { return rows_ == 0; }
  std::size_t rows() const { return rows_; }
  std::size_t values() const { return values_; }
  std::size_t size() const { return bytes_.size(); }
  Millis base() const { return base_; }
  Millis first() const { return first_; }  // earliest and latest of the rows
  Millis last() const { return last_; }

  // The bytes; the block starts anew.
  ByteVector take();

 private:
  struct Known {
    std::int64_t integer = 0;
    Format format = Format::absent;
  };
  std::vector<Known> known_;
  ByteVector bytes_;
  std::size_t rows_ = 0, values_ = 0, next_ = 0;
  Millis base_ = 0, before_ = 0, first_ = 0, last_ = 0;
  Format row_format_ = Format::absent;
};

// Calls for each value in order; `row` counts from 0.
using OnCell = std::function<void(std::size_t row, Millis at, std::size_t member, const Cell&)>;
Result<void> decode_raw_block(Bytes bytes, Millis base, const OnCell& each);

}  // namespace lightship::history
