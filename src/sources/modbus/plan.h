// The plan of reads: which registers are asked for in one request.
//
// Made at load and shown by `lightship check`. Neighbouring points are joined up to the device's
// limit and across gaps that cost less than a further request; a value of several registers is
// never split. What the device is known to refuse is planned around.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "core/register_image.h"

namespace lightship::poller {

struct PlanPoint {
  Space space{};
  std::uint16_t address = 0;
  std::uint16_t count = 1;  // registers or bits; 0: not there, and in no block
  bool alone = false;       // in a block of its own
  friend bool operator==(const PlanPoint&, const PlanPoint&) = default;
};

struct PlanLimits {
  std::uint16_t max_registers = 125;  // 1..125 in one request
  std::uint16_t max_bits = 2000;      // 1..2000
  std::uint16_t max_gap = 0;          // registers that nobody asked for inside one request
};

// A range that no request may touch. A count of 0 is a cut: what stands before `first` and what
// begins there may not be read in one request.
struct Hole {
  Space space{};
  std::uint16_t first = 0, count = 0;
  bool of_points = false;  // points that are asked for, not a gap between them
  std::uint8_t code = 0;   // the exception; 0: the device stays silent
  Time since{}, found{};   // for the first time, and the last
};

struct Block {
  Space space{};
  std::uint16_t first = 0;
  std::uint16_t count = 0;
  std::vector<std::uint16_t> points;  // indices of what it carries
  bool gaps = false;                  // holds registers that no point asked for
  int hole = -1;                      // its points lie in this hole: asked for rarely
};

// Blocks in the order of space and address; those in holes behind the others. A point larger than a
// limit gets a block of its own.
std::vector<Block> plan(const std::vector<PlanPoint>& points, const PlanLimits& limits,
                        const std::vector<Hole>& holes = {});

// How many registers may be read in vain before a second request is cheaper, for a device that
// answers after `answer_time` (docs/modbus.md: 2g characters against 13 characters, two t3.5 and
// one T).
std::uint16_t break_even_gap(Duration character, Duration silence, Duration answer_time);

// Characters of request and answer together, RTU with CRC.
std::size_t characters(const Block& block);

}  // namespace lightship::poller
