// What the field loop hands to the history's writer: finished blocks, and the layouts they name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "store/history/types.h"

namespace lightship::history {

// Who stands where in the blocks of one group of points (at most 256 of one device).
struct Layout {
  struct Member {
    std::string name, unit;
    Kind kind = Kind::gauge;
  };
  std::vector<Member> members;
};

// Where a counter stood before the program began.
struct CounterLevel {
  std::uint32_t group = 0;
  std::size_t member = 0;
  Millis at = 0;
  double value = 0;
};

struct Batch {
  struct Block {
    Tier tier = Tier::raw;  // raw or minute
    std::uint32_t group = 0;
    Millis at = 0;    // base of a raw block, start of a roll-up's window
    Millis till = 0;  // the newest time in it; of a roll-up: until when it is accounted for
    std::size_t values = 0;
    ByteVector bytes;
  };
  struct Event {
    std::uint32_t group = 0;
    std::size_t member = 0;
    CounterEvent what;
  };
  std::vector<std::pair<std::uint32_t, std::shared_ptr<const Layout>>> layouts;  // new groups
  std::vector<Block> blocks;
  std::vector<Event> events;

  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto& block : blocks) sum += block.bytes.size() + sizeof(Block);
    return sum;
  }
  bool empty() const { return layouts.empty() && blocks.empty() && events.empty(); }
};

}  // namespace lightship::history
