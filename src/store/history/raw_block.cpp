// Writes and reads the blocks of the journal.
#include "store/history/raw_block.h"

#include <algorithm>
#include <array>

namespace lightship::history {
namespace {

constexpr std::uint64_t kEndOfRow = 1;

void put_cell(ByteVector& out, const Cell& cell) {
  if (cell.format == Format::f32) {
    put_u32(out,
            std::bit_cast<std::uint32_t>(static_cast<float>(number_of(Format::f32, cell.integer))));
  } else if (cell.format == Format::text) {
    put_varint(out, cell.text.size());
    put_bytes(out,
              Bytes(reinterpret_cast<const std::uint8_t*>(cell.text.data()), cell.text.size()));
  } else if (cell.format == Format::bad) {
    put_u16(out, static_cast<std::uint16_t>(cell.integer));
  } else if (is_number(cell.format)) {
    put_signed(out, cell.integer);
  }
}

bool get_cell(Reader& in, Cell& cell) {
  cell.text.clear();
  if (cell.format == Format::f32) {
    cell.integer = integer_of(Format::f32, static_cast<double>(std::bit_cast<float>(in.u32())));
  } else if (cell.format == Format::text) {
    const auto size = get_varint(in);
    if (size > kLongestText) return false;
    const auto text = in.take(size);
    cell.text.assign(text.begin(), text.end());
    cell.integer = 0;
  } else if (cell.format == Format::bad) {
    cell.integer = in.u16();
  } else if (is_number(cell.format)) {
    cell.integer = get_signed(in);
  } else {
    return false;
  }
  return in.ok();
}

}  // namespace

Cell cell_of(const Value& value, Reason reason, std::uint8_t code) {
  if (reason != Reason::none) {
    return {Format::bad, static_cast<std::int64_t>(static_cast<unsigned>(reason) << 8 | code), {}};
  }
  Cell cell;
  cell.format = format_of(value);
  if (cell.format == Format::text)
    cell.text = std::get<std::string>(value).substr(0, kLongestText);
  else if (cell.format == Format::absent)
    cell = {Format::bad, static_cast<std::int64_t>(Reason::not_available) << 8, {}};
  else
    cell.integer = integer_of(cell.format, value);
  return cell;
}

Sample sample_of(Millis at, const Cell& cell) {
  Sample sample;
  sample.at = at;
  if (cell.format == Format::bad) {
    const auto reason = static_cast<std::uint8_t>(cell.integer >> 8);
    sample.reason = reason > 0 && reason <= static_cast<std::uint8_t>(Reason::stale)
                        ? static_cast<Reason>(reason)
                        : Reason::not_available;
    sample.code = static_cast<std::uint8_t>(cell.integer);
  } else if (cell.format == Format::text) {
    sample.value = cell.text;
  } else {
    sample.value = value_of(cell.format, cell.integer);
  }
  return sample;
}

void RawBlock::begin_row(Millis at) {
  if (rows_ == 0) {
    base_ = before_ = first_ = last_ = at;
    std::ranges::fill(known_, Known{});
  }
  put_signed(bytes_, minus(at, before_));
  before_ = at;
  first_ = std::min(first_, at);
  last_ = std::max(last_, at);
  next_ = 0;
  row_format_ = Format::absent;
}

void RawBlock::add(std::size_t member, const Value& value, Reason reason, std::uint8_t code) {
  if (member >= known_.size() || member < next_) return;
  auto& known = known_[member];
  const auto cell = cell_of(value, reason, code);
  const auto difference = zigzag(minus(cell.integer, known.integer));
  ++values_;
  if (member == next_ && cell.format == known.format && is_number(cell.format) &&
      difference >> 63 == 0) {
    put_varint(bytes_, difference << 1);
  } else {
    const bool same = cell.format == row_format_;
    put_varint(bytes_, (((member - next_) << 1 | (same ? 1u : 0u)) + 1) << 1 | 1);
    if (!same) put_u8(bytes_, static_cast<std::uint8_t>(cell.format));
    put_cell(bytes_, cell);
  }
  known = {cell.integer, cell.format};
  row_format_ = cell.format;
  next_ = member + 1;
}

void RawBlock::end_row() {
  put_varint(bytes_, kEndOfRow);
  ++rows_;
}

ByteVector RawBlock::take() {
  ByteVector taken;
  taken.swap(bytes_);
  bytes_.reserve(std::min<std::size_t>(taken.size(), 4096));
  rows_ = values_ = 0;
  return taken;
}

Result<void> decode_raw_block(Bytes bytes, Millis base, const OnCell& each) {
  std::vector<Cell> known(kMostMembers);
  Reader in(bytes);
  Millis at = base;
  for (std::size_t row = 0; in.left() > 0; ++row) {
    at = plus(at, get_signed(in));
    std::size_t next = 0;
    Format row_format = Format::absent;
    for (;;) {
      const auto token = get_varint(in);
      if (!in.ok()) return fail(Errc::malformed, "a raw block ends within row {}", row);
      if (token == kEndOfRow) break;
      if ((token & 1) == 0) {
        if (next >= kMostMembers || !is_number(known[next].format)) {
          return fail(Errc::malformed, "row {} of a raw block: a difference to nothing", row);
        }
        known[next].integer = plus(known[next].integer, unzigzag(token >> 1));
      } else {
        const auto op = (token >> 1) - 1;
        if (op >> 1 >= kMostMembers - next) {
          return fail(Errc::malformed, "row {} of a raw block: more than {} series", row,
                      kMostMembers);
        }
        next += op >> 1;
        auto& cell = known[next];
        cell.format = (op & 1) != 0 ? row_format : static_cast<Format>(in.u8());
        if (!get_cell(in, cell)) {
          return fail(Errc::malformed, "row {} of a raw block: a value is cut off or of no format",
                      row);
        }
      }
      row_format = known[next].format;
      each(row, at, next, known[next]);
      ++next;
    }
  }
  return {};
}

}  // namespace lightship::history
