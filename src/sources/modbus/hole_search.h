// Why a block is refused: a search that asks for parts of it and finds the first reason.
//
// The block's points are atoms: nothing smaller is asked for. The shortest refused beginning is
// found by halving; its last atom is then asked for alone, and with its neighbour. That tells
// apart a point that the device does not have, a gap that it does not like to be read along, two
// neighbours that may not be read together, and a request that is too long. Pure: the caller asks.
#pragma once

#include <optional>
#include <vector>

#include "sources/modbus/plan.h"

namespace lightship::poller {

class HoleSearch {
 public:
  struct Read {
    std::uint16_t first = 0, count = 0;
  };
  struct Finding {
    std::optional<Hole> hole;
    std::optional<std::uint16_t> limit;  // the longest read that is answered
  };

  // `points`: those of the block. `longest_good`: the longest read of the space that the device
  // has answered so far.
  HoleSearch(const Block& block, std::vector<PlanPoint> points, std::uint16_t longest_good);

  std::optional<Read> next() const { return next_; }  // nothing: over
  void told(bool good);

  const Finding& finding() const { return finding_; }
  // A read of the block that was answered, to see whether the device still lives.
  std::optional<Read> good() const { return good_; }

 private:
  enum class Step { beginning, alone, together };
  struct Atom {
    std::uint32_t first, end;
  };
  Read from_to(std::size_t first, std::size_t last) const;
  void halve();
  void found_hole(std::uint32_t first, std::uint32_t end, bool of_points);
  void found_boundary();

  Space space_;
  std::vector<Atom> atoms_;
  std::uint16_t longest_good_;
  Step step_ = Step::beginning;
  std::size_t served_ = 0, refused_;  // beginnings of so many atoms
  std::optional<Read> next_, good_;
  Finding finding_;
};

}  // namespace lightship::poller
