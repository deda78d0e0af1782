// Writes and reads roll-ups.
#include "store/history/rollup_code.h"

#include <algorithm>
#include <cmath>

#include "store/history/raw_block.h"

namespace lightship::history {
namespace {

enum Flag : unsigned {
  kEmpty = 1,         // nothing good in it
  kFlat = 2,          // min, max, average and last are one
  kFull = 4,          // good for the whole window
  kSameFormat = 8,    // as the one before
  kSameCount = 16,    // as the one before
  kIncrease = 32,     // a counter that has counted
  kReason = 64,       // something was bad
  kWideAverage = 128  // the average as a double
};

void put_double(ByteVector& out, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  put_u32(out, static_cast<std::uint32_t>(bits >> 32));
  put_u32(out, static_cast<std::uint32_t>(bits));
}
double get_double(Reader& in) {
  const std::uint64_t high = in.u32();
  return std::bit_cast<double>(high << 32 | in.u32());
}

// The first has nothing before it; then a 32-bit float takes 4 bytes and not 5.
void put_first(ByteVector& out, Format format, std::int64_t integer) {
  if (format == Format::f32)
    put_u32(out, std::bit_cast<std::uint32_t>(static_cast<float>(number_of(format, integer))));
  else
    put_signed(out, integer);
}
std::int64_t get_first(Reader& in, Format format) {
  return format == Format::f32
             ? integer_of(format, static_cast<double>(std::bit_cast<float>(in.u32())))
             : get_signed(in);
}

// Averages are written as the difference to the newest value, as both sides know it.
std::int64_t average_base(Format fine, double last) {
  return fitting(fine, last) == fine ? integer_of(fine, last) : 0;
}

}  // namespace

void RollupWriter::put(ByteVector& out, const Rollup& r) {
  unsigned flags = 0;
  if (r.reason != Reason::none) flags |= kReason;
  if (!r.has_value()) {
    put_u8(out, static_cast<std::uint8_t>(flags | kEmpty));
    if (flags & kReason) {
      put_u8(out, static_cast<std::uint8_t>(r.reason));
      put_u8(out, r.code);
    }
    return;
  }
  auto format = fitting(r.format, r.last);
  if (fitting(format, r.min) != format || fitting(format, r.max) != format) format = Format::f64;
  const auto last = integer_of(format, r.last);
  const auto fine = average_format(format);
  const bool flat = r.min == r.last && r.max == r.last && r.avg == r.last;
  if (flat) flags |= kFlat;
  if (r.good >= window_) flags |= kFull;
  if (format == format_) flags |= kSameFormat;
  if (r.count == count_) flags |= kSameCount;
  if (r.increase != 0) flags |= kIncrease;
  if (fitting(fine, r.avg) != fine) flags |= kWideAverage;
  put_u8(out, static_cast<std::uint8_t>(flags));
  if (format == format_) {
    put_signed(out, minus(last, last_));
  } else {
    put_u8(out, static_cast<std::uint8_t>(format));
    put_first(out, format, last);
  }
  if (!flat) {
    put_signed(out, minus(last, integer_of(format, r.min)));
    put_signed(out, minus(integer_of(format, r.max), last));
    if (flags & kWideAverage)
      put_double(out, r.avg);
    else
      put_signed(out, minus(integer_of(fine, r.avg), average_base(fine, number_of(format, last))));
  }
  if (!(flags & kSameCount)) put_varint(out, r.count);
  if (!(flags & kFull)) put_varint(out, static_cast<std::uint64_t>(r.good));
  if (flags & kIncrease) {
    const auto exact = format == Format::f32 || format == Format::f64 ? Format::f64 : format;
    const bool fits = exact != Format::f64 && fitting(exact, r.increase) == exact &&
                      std::fabs(number_of(exact, integer_of(exact, r.increase)) - r.increase) <
                          1e-9 * (1 + std::fabs(r.increase));
    // Whole or scaled: odd; a double: even and eight bytes.
    if (fits) {
      put_varint(out, zigzag(integer_of(exact, r.increase)) << 1 | 1);
    } else {
      put_u8(out, 0);
      put_double(out, r.increase);
    }
  }
  if (flags & kReason) {
    put_u8(out, static_cast<std::uint8_t>(r.reason));
    put_u8(out, r.code);
  }
  format_ = format;
  last_ = last;
  count_ = r.count;
}

bool RollupReader::get(Reader& in, Rollup& r) {
  r = Rollup{.start = r.start};
  const unsigned flags = in.u8();
  const auto reason = [&] {
    if (!(flags & kReason)) return;
    const auto byte = in.u8();
    r.reason = byte <= static_cast<std::uint8_t>(Reason::stale) ? static_cast<Reason>(byte)
                                                                : Reason::not_available;
    r.code = in.u8();
  };
  if (flags & kEmpty) {
    reason();
    return in.ok();
  }
  if (flags & kSameFormat) {
    if (!is_number(format_)) return false;
    last_ = plus(last_, get_signed(in));
  } else {
    format_ = static_cast<Format>(in.u8());
    if (!is_number(format_)) return false;
    last_ = get_first(in, format_);
  }
  r.format = format_;
  r.last = number_of(format_, last_);
  if (flags & kFlat) {
    r.min = r.max = r.avg = r.last;
  } else {
    r.min = number_of(format_, minus(last_, get_signed(in)));
    r.max = number_of(format_, plus(last_, get_signed(in)));
    const auto fine = average_format(format_);
    if (flags & kWideAverage) {
      r.avg = get_double(in);
    } else {
      r.avg = number_of(fine, plus(average_base(fine, r.last), get_signed(in)));
    }
  }
  r.count = flags & kSameCount ? count_ : static_cast<std::uint32_t>(get_varint(in));
  count_ = r.count;
  r.good = flags & kFull ? window_
                         : static_cast<Millis>(std::min<std::uint64_t>(
                               get_varint(in), static_cast<std::uint64_t>(window_)));
  if (flags & kIncrease) {
    const auto token = get_varint(in);
    r.increase =
        token & 1 ? number_of(format_ == Format::f32 ? Format::f64 : format_, unzigzag(token >> 1))
                  : get_double(in);
  }
  reason();
  return in.ok();
}

void RollupBlock::add(std::size_t member, const Rollup& rollup) {
  put_varint(bytes_, member - next_);
  writer_.put(bytes_, rollup);
  next_ = member + 1;
  ++rows_;
}

Result<void> decode_rollup_block(Bytes bytes, Millis start, const OnRollup& each) {
  Reader in(bytes);
  RollupReader reader(window_of(Tier::minute));
  std::size_t next = 0;
  while (in.left() > 0) {
    const auto skip = get_varint(in);
    if (next >= kMostMembers || skip >= kMostMembers - next) {
      return fail(Errc::malformed, "a roll-up block of more than {} series", kMostMembers);
    }
    next += skip;
    Rollup rollup;
    rollup.start = start;
    if (!reader.get(in, rollup)) return fail(Errc::malformed, "a roll-up block is cut off");
    each(next, rollup);
    ++next;
  }
  return {};
}

ByteVector encode_rollups(Tier tier, const std::vector<Rollup>& rows) {
  ByteVector out;
  const auto window = window_of(tier);
  RollupWriter writer(window);
  Millis expected = rows.empty() ? 0 : rows.front().start;
  // Most follow each other at once: how many windows are missing before each run, and its length.
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t run = 1;
    while (i + run < rows.size() &&
           rows[i + run].start == rows[i].start + static_cast<Millis>(run) * window)
      ++run;
    put_varint(out, static_cast<std::uint64_t>((rows[i].start - expected) / window));
    put_varint(out, run);
    for (std::size_t k = 0; k < run; ++k) writer.put(out, rows[i + k]);
    expected = rows[i].start + static_cast<Millis>(run) * window;
    i += run;
  }
  return out;
}

Result<void> decode_rollups(Tier tier, Millis start, Bytes bytes,
                            const std::function<void(const Rollup&)>& each) {
  const auto window = window_of(tier);
  RollupReader reader(window);
  Reader in(bytes);
  Rollup rollup;
  rollup.start = start;
  while (in.left() > 0) {
    // Millions of years are a damaged chunk.
    const auto missing = std::min<std::uint64_t>(get_varint(in), 1u << 30);
    const auto run = get_varint(in);
    rollup.start = plus(rollup.start, static_cast<Millis>(missing) * window);
    for (std::uint64_t k = 0; k < run; ++k) {
      if (!reader.get(in, rollup)) return fail(Errc::malformed, "a chunk of roll-ups is cut off");
      each(rollup);
      rollup.start = plus(rollup.start, window);
    }
  }
  return {};
}

}  // namespace lightship::history
