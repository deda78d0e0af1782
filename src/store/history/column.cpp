// Writes and reads chunks of raw values.
#include "store/history/column.h"

namespace lightship::history {

void TimeWriter::add(Millis at) {
  const auto step = minus(at, before_);
  put_signed(bytes_, minus(step, step_));
  step_ = step;
  before_ = at;
}

Result<std::vector<Millis>> decode_times(Millis start, std::size_t rows, Bytes bytes) {
  std::vector<Millis> times;
  Reader in(bytes);
  // A row takes a byte at least: no more are made than can be there.
  times.reserve(std::min(rows, bytes.size()));
  Millis at = start, step = 0;
  while (times.size() < rows && in.left() > 0) {
    step = plus(step, get_signed(in));
    at = plus(at, step);
    times.push_back(at);
  }
  if (!in.done() || times.size() != rows) {
    return fail(Errc::malformed, "{} times in a chunk of {} rows", times.size(), rows);
  }
  return times;
}

void ColumnWriter::add(std::size_t row, const Cell& cell) {
  if (row < next_) return;
  if (row > next_) {
    const Cell absent;
    if (count_ == 0 || head_.format != Format::absent) open(absent);
    count_ += row - next_;
    next_ = row;
  }
  ++values_;
  const bool fits =
      count_ > 0 && head_.format == cell.format &&
      (is_number(cell.format) || (head_.integer == cell.integer && head_.text == cell.text));
  if (!fits) open(cell);
  ++count_;
  ++next_;
  if (!is_number(cell.format)) return;
  const auto difference = minus(cell.integer, before_);
  before_ = cell.integer;
  if (difference == 0) {
    ++zeros_;
  } else {
    end_zeros();
    put_signed(segment_, difference);
  }
}

void ColumnWriter::end_zeros() {
  if (zeros_ == 0) return;
  put_u8(segment_, 0);
  put_varint(segment_, zeros_ - 1);
  zeros_ = 0;
}

void ColumnWriter::open(const Cell& cell) {
  close();
  head_ = cell;
  before_ = 0;
}

void ColumnWriter::close() {
  if (count_ == 0) return;
  end_zeros();
  put_u8(bytes_, static_cast<std::uint8_t>(head_.format));
  put_varint(bytes_, count_);
  if (head_.format == Format::bad) {
    put_u16(bytes_, static_cast<std::uint16_t>(head_.integer));
  } else if (head_.format == Format::text) {
    put_varint(bytes_, head_.text.size());
    put_bytes(bytes_,
              Bytes(reinterpret_cast<const std::uint8_t*>(head_.text.data()), head_.text.size()));
  }
  put_bytes(bytes_, segment_);
  segment_.clear();
  count_ = 0;
}

ByteVector ColumnWriter::take(std::size_t rows) {
  if (next_ < rows) {
    if (count_ == 0 || head_.format != Format::absent) open({});
    count_ += rows - next_;
  }
  close();
  next_ = values_ = 0;
  return std::move(bytes_);
}

bool ColumnReader::open() {
  if (in_.left() == 0) return false;
  cell_.format = static_cast<Format>(in_.u8());
  left_ = get_varint(in_);
  cell_.integer = 0;
  cell_.text.clear();
  zeros_ = 0;
  if (cell_.format == Format::bad) {
    cell_.integer = in_.u16();
  } else if (cell_.format == Format::text) {
    const auto size = get_varint(in_);
    if (size <= kLongestText) {
      const auto text = in_.take(size);
      cell_.text.assign(text.begin(), text.end());
    } else {
      malformed_ = true;
    }
  } else if (!is_number(cell_.format) && cell_.format != Format::absent) {
    malformed_ = true;
  }
  if (!in_.ok() || left_ == 0) malformed_ = true;
  return !malformed_;
}

bool ColumnReader::next(Cell& cell) {
  if (malformed_ || (left_ == 0 && !open())) return false;
  --left_;
  if (is_number(cell_.format)) {
    if (zeros_ > 0) {
      --zeros_;
    } else {
      const auto difference = get_signed(in_);
      if (difference == 0)
        zeros_ = get_varint(in_);
      else
        cell_.integer = plus(cell_.integer, difference);
      if (!in_.ok()) {
        malformed_ = true;
        return false;
      }
    }
  }
  cell = cell_;
  return true;
}

}  // namespace lightship::history
