// The registers and bits of one device as they were last read, block by block, in wire order.
//
// A driver declares the ranges it polls; readers (the Modbus gateway) then get bytes or the reason
// why not. The four spaces are Modbus's: coils, discrete inputs, input and holding registers are
// separate (Modbus Application Protocol V1.1b3, data model).
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace lightship {

// The value is the function code that reads the space.
enum class Space : std::uint8_t { coils = 1, discrete_inputs = 2, holding = 3, input = 4 };

constexpr bool is_bits(Space space) {
  return space == Space::coils || space == Space::discrete_inputs;
}

class RegisterImage {
 public:
  enum class Outcome { ok, not_polled, not_fresh };
  // Writes that one poll may be overtaken by.
  static constexpr std::size_t kPatches = 32;

  // Replaces the declared ranges; what was read of registers that stay declared is kept.
  struct Range {
    Space space;
    std::uint16_t first;
    std::uint16_t count;  // registers or bits, at least 1
    friend bool operator==(const Range&, const Range&) = default;
  };
  void declare(const std::vector<Range>& ranges);

  // `data`: registers high byte first, or bits packed from bit 0 of the first byte. What lies
  // outside the declared ranges is dropped.
  void store(Space space, std::uint16_t first, std::uint16_t count, Bytes data, MonoTime arrived);

  // What a device holds since it was written to: given at once, and not overwritten by what was
  // read before `arrived` and is stored after. The age of the block stays what it is.
  void patch(Space space, std::uint16_t first, std::uint16_t count, Bytes data, MonoTime arrived);

  // Appends the wire form of the range to `out` when every element is declared and arrived at or
  // after `oldest`; otherwise appends nothing. Neighbouring blocks are read as one.
  Outcome read(Space space, std::uint32_t first, std::uint32_t count, MonoTime oldest,
               ByteVector& out) const;

  void age(Duration by);  // everything read so far is older by this

  bool declared(Space space, std::uint32_t first, std::uint32_t count) const;

 private:
  struct Block {
    Range range;
    ByteVector data;     // 2 bytes a register; 1 byte a bit
    MonoTime arrived{};  // MonoTime::min() until read
  };
  struct Patch {
    Range range;
    ByteVector data;
    MonoTime arrived{};
  };
  void put(Space space, std::uint16_t first, std::uint16_t count, Bytes data, MonoTime arrived);
  void lay(const Patch& patch);
  const Block* find(Space space, std::uint32_t address) const;
  std::vector<Block> blocks_;   // by space, then first; never overlapping
  std::vector<Patch> patches_;  // the newest; at most kPatches
};

}  // namespace lightship
