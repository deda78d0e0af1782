// Joins points into blocks.
#include "sources/modbus/plan.h"

#include <algorithm>
#include <numeric>

namespace lightship::poller {
namespace {

// Eight bits cost what half a register costs; a gap of bits is measured in bits all the same.
constexpr std::uint32_t kBitsOfARegister = 16;

}  // namespace

std::vector<Block> plan(const std::vector<PlanPoint>& points, const PlanLimits& limits) {
  std::vector<std::uint16_t> order(points.size());
  std::iota(order.begin(), order.end(), std::uint16_t{0});
  std::ranges::sort(order, [&](auto a, auto b) {
    const auto &x = points[a], &y = points[b];
    return std::tuple(x.space, x.address, x.count, a) < std::tuple(y.space, y.address, y.count, b);
  });

  std::vector<Block> blocks, alone;
  for (const auto which : order) {
    const auto& point = points[which];
    if (point.count == 0) continue;
    if (point.alone) {
      alone.push_back({point.space, point.address, point.count, {which}, false});
      continue;
    }
    const bool bits = is_bits(point.space);
    const std::uint32_t end = std::uint32_t{point.address} + point.count;
    if (!blocks.empty() && blocks.back().space == point.space) {
      auto& block = blocks.back();
      const std::uint32_t block_end = std::uint32_t{block.first} + block.count;
      const std::uint32_t gap = point.address > block_end ? point.address - block_end : 0;
      const std::uint32_t joined = std::max(end, block_end) - block.first;
      const std::uint32_t most_gap = bits ? limits.max_gap * kBitsOfARegister : limits.max_gap;
      if (gap <= most_gap && joined <= (bits ? limits.max_bits : limits.max_registers)) {
        block.count = static_cast<std::uint16_t>(joined);
        block.gaps = block.gaps || gap > 0;
        block.points.push_back(which);
        continue;
      }
    }
    blocks.push_back({point.space, point.address, point.count, {which}, false});
  }
  std::ranges::move(alone, std::back_inserter(blocks));
  return blocks;
}

std::uint16_t break_even_gap(Duration character, Duration silence, Duration answer_time) {
  if (character.count() <= 0) return 125;
  const auto saved = 13 * character + 2 * silence + answer_time;
  return static_cast<std::uint16_t>(std::min<std::int64_t>(saved / (2 * character), 125));
}

std::size_t characters(const Block& block) {
  constexpr std::size_t kRequest = 8, kAnswerFrame = 5;
  return kRequest + kAnswerFrame +
         (is_bits(block.space) ? (block.count + 7u) / 8 : 2u * block.count);
}

}  // namespace lightship::poller
