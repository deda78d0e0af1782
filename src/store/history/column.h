// A chunk of raw values: the times of a layout's rows once, and beside them one column a series.
//
//   times  = signed differences of differences, ms; the first row against the chunk's start
//   column = segments: format, count of rows, then by format: nothing (absent); reason, code (bad);
//            length, bytes (text, the same in all rows); differences (numbers), where 0 is followed
//            by how often it comes again
#pragma once

#include <string>
#include <vector>

#include "store/history/raw_block.h"

namespace lightship::history {

class TimeWriter {
 public:
  explicit TimeWriter(Millis start) : before_(start) {}
  void add(Millis at);
  ByteVector take() { return std::move(bytes_); }

 private:
  Millis before_, step_ = 0;
  ByteVector bytes_;
};
Result<std::vector<Millis>> decode_times(Millis start, std::size_t rows, Bytes bytes);

class ColumnWriter {
 public:
  // Rows rise; those between are absent.
  void add(std::size_t row, const Cell& cell);
  std::size_t size() const { return bytes_.size() + segment_.size(); }
  std::size_t values() const { return values_; }
  // The finished column of `rows` rows.
  ByteVector take(std::size_t rows);

 private:
  void open(const Cell& cell);
  void close();
  void end_zeros();

  ByteVector bytes_, segment_;
  Cell head_;  // of the open segment
  std::size_t count_ = 0, next_ = 0, zeros_ = 0, values_ = 0;
  std::int64_t before_ = 0;
};

// Reads cell by cell, so that a chunk is never whole in memory.
class ColumnReader {
 public:
  explicit ColumnReader(Bytes bytes) : in_(bytes) {}
  // The next row's cell; false at the end or where the column is malformed.
  bool next(Cell& cell);
  bool malformed() const { return malformed_; }

 private:
  bool open();

  Reader in_;
  Cell cell_;
  std::uint64_t left_ = 0, zeros_ = 0;
  bool malformed_ = false;
};

}  // namespace lightship::history
