// Joins points into blocks.
#include "sources/modbus/plan.h"

#include <algorithm>
#include <numeric>

namespace lightship::poller {
namespace {

// Eight bits cost what half a register costs; a gap of bits is measured in bits all the same.
constexpr std::uint32_t kBitsOfARegister = 16;

// The hole of points that holds this one wholly, or -1.
int hole_of(const PlanPoint& point, const std::vector<Hole>& holes) {
  for (std::size_t i = 0; i < holes.size(); ++i) {
    const auto& hole = holes[i];
    if (hole.of_points && hole.space == point.space && hole.first <= point.address &&
        std::uint32_t{point.address} + point.count <= std::uint32_t{hole.first} + hole.count)
      return static_cast<int>(i);
  }
  return -1;
}

bool touches_a_hole(Space space, std::uint32_t first, std::uint32_t end,
                    const std::vector<Hole>& holes) {
  return std::ranges::any_of(holes, [&](const Hole& hole) {
    if (hole.space != space) return false;
    if (hole.count == 0) return first < hole.first && hole.first < end;
    return first < std::uint32_t{hole.first} + hole.count && hole.first < end;
  });
}

void put_into_hole(std::vector<Block>& blocks, int hole, const std::vector<Hole>& holes,
                   std::uint16_t which) {
  const auto known = std::ranges::find(blocks, hole, &Block::hole);
  if (known != blocks.end()) return known->points.push_back(which);
  const auto& where = holes[static_cast<std::size_t>(hole)];
  blocks.push_back({where.space, where.first, where.count, {which}, false, hole});
}

}  // namespace

std::vector<Block> plan(const std::vector<PlanPoint>& points, const PlanLimits& limits,
                        const std::vector<Hole>& holes) {
  std::vector<std::uint16_t> order(points.size());
  std::iota(order.begin(), order.end(), std::uint16_t{0});
  std::ranges::sort(order, [&](auto a, auto b) {
    const auto &x = points[a], &y = points[b];
    return std::tuple(x.space, x.address, x.count, a) < std::tuple(y.space, y.address, y.count, b);
  });

  std::vector<Block> blocks, alone, refused;
  for (const auto which : order) {
    const auto& point = points[which];
    if (point.count == 0) continue;
    if (const int hole = hole_of(point, holes); hole >= 0) {
      put_into_hole(refused, hole, holes, which);
      continue;
    }
    if (point.alone) {
      alone.push_back({point.space, point.address, point.count, {which}});
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
      if (gap <= most_gap && joined <= (bits ? limits.max_bits : limits.max_registers) &&
          !touches_a_hole(point.space, block.first, block.first + joined, holes)) {
        block.count = static_cast<std::uint16_t>(joined);
        block.gaps = block.gaps || gap > 0;
        block.points.push_back(which);
        continue;
      }
    }
    blocks.push_back({point.space, point.address, point.count, {which}});
  }
  std::ranges::move(alone, std::back_inserter(blocks));
  std::ranges::move(refused, std::back_inserter(blocks));
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
