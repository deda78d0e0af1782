// Looks registers up by address, copies them in wire order.
#include "core/register_image.h"

#include <algorithm>

namespace lightship {
namespace {

std::size_t bytes_of(const RegisterImage::Range& range) {
  return is_bits(range.space) ? range.count : std::size_t{2} * range.count;
}

// The ranges sorted and without overlaps: what two ranges share belongs to the first.
std::vector<RegisterImage::Range> disjoint(std::vector<RegisterImage::Range> ranges) {
  std::ranges::sort(ranges, [](const auto& a, const auto& b) {
    return std::pair(a.space, a.first) < std::pair(b.space, b.first);
  });
  std::vector<RegisterImage::Range> out;
  for (auto range : ranges) {
    if (!out.empty() && out.back().space == range.space) {
      const std::uint32_t end = std::uint32_t{out.back().first} + out.back().count;
      if (std::uint32_t{range.first} + range.count <= end) continue;
      if (range.first < end) {
        range.count = static_cast<std::uint16_t>(range.first + range.count - end);
        range.first = static_cast<std::uint16_t>(end);
      }
    }
    if (range.count > 0) out.push_back(range);
  }
  return out;
}

}  // namespace

void RegisterImage::declare(const std::vector<Range>& ranges) {
  std::vector<Block> old;
  old.swap(blocks_);
  for (const auto& range : disjoint(ranges)) {
    blocks_.push_back({range, ByteVector(bytes_of(range)), MonoTime::min()});
    for (auto& block : old) {
      if (block.range == range) blocks_.back() = std::move(block);
    }
  }
}

void RegisterImage::store(Space space, std::uint16_t first, std::uint16_t count, Bytes data,
                          MonoTime arrived) {
  put(space, first, count, data, arrived);
  if (patches_.empty()) return;
  // No poll takes longer than this from its first answer until it is stored.
  constexpr auto kLongestPoll = std::chrono::minutes(2);
  std::erase_if(patches_, [&](const Patch& p) { return p.arrived + kLongestPoll < arrived; });
  for (const auto& patch : patches_) {
    if (patch.range.space == space && patch.arrived > arrived) lay(patch);
  }
}

void RegisterImage::patch(Space space, std::uint16_t first, std::uint16_t count, Bytes data,
                          MonoTime arrived) {
  if (patches_.size() >= kPatches) patches_.erase(patches_.begin());
  patches_.push_back({{space, first, count}, ByteVector(data.begin(), data.end()), arrived});
  lay(patches_.back());
}

void RegisterImage::lay(const Patch& patch) {
  const auto& [space, first, count] = patch.range;
  const std::uint32_t end = std::uint32_t{first} + count;
  for (auto& block : blocks_) {
    if (block.range.space != space || block.arrived == MonoTime::min()) continue;
    const std::uint32_t from = std::max<std::uint32_t>(first, block.range.first);
    const std::uint32_t to = std::min(end, std::uint32_t{block.range.first} + block.range.count);
    for (std::uint32_t at = from; at < to; ++at) {
      const std::size_t source = at - first, target = at - block.range.first;
      if (is_bits(space)) {
        if (source / 8 < patch.data.size())
          block.data[target] = patch.data[source / 8] >> (source % 8) & 1;
      } else if (source * 2 + 1 < patch.data.size()) {
        block.data[target * 2] = patch.data[source * 2];
        block.data[target * 2 + 1] = patch.data[source * 2 + 1];
      }
    }
  }
}

void RegisterImage::put(Space space, std::uint16_t first, std::uint16_t count, Bytes data,
                        MonoTime arrived) {
  const std::uint32_t end = std::uint32_t{first} + count;
  // The first block that ends behind `first`.
  auto touched = std::ranges::partition_point(blocks_, [&](const Block& block) {
    return std::pair(block.range.space, std::uint32_t{block.range.first} + block.range.count) <=
           std::pair(space, std::uint32_t{first});
  });
  for (; touched != blocks_.end() && touched->range.space == space && touched->range.first < end;
       ++touched) {
    auto& block = *touched;
    const std::uint32_t block_end = std::uint32_t{block.range.first} + block.range.count;
    const std::uint32_t from = std::max<std::uint32_t>(first, block.range.first);
    const std::uint32_t to = std::min(end, block_end);
    const std::size_t source = from - first, target = from - block.range.first;
    const std::size_t count = to - from;
    if (is_bits(space)) {
      for (std::size_t i = 0; i < count; ++i) {
        if ((source + i) / 8 >= data.size()) return;
        block.data[target + i] = data[(source + i) / 8] >> ((source + i) % 8) & 1;
      }
    } else {
      const auto there = data.size() / 2;  // whole registers
      const auto whole = std::min(count, there > source ? there - source : 0);
      std::copy_n(data.data() + 2 * source, 2 * whole, block.data.data() + 2 * target);
      if (whole < count) return;
    }
    // A block read in two requests is as old as its older part, so a part never makes it younger.
    if (from == block.range.first && to == block_end)
      block.arrived = arrived;
    else if (block.arrived == MonoTime::min())
      block.arrived = arrived;
  }
}

const RegisterImage::Block* RegisterImage::find(Space space, std::uint32_t address) const {
  auto after = std::upper_bound(blocks_.begin(), blocks_.end(), std::pair(space, address),
                                [](const auto& key, const Block& block) {
                                  return key < std::pair(block.range.space,
                                                         std::uint32_t{block.range.first});
                                });
  if (after == blocks_.begin()) return nullptr;
  const Block& block = *--after;
  if (block.range.space != space || address >= std::uint32_t{block.range.first} + block.range.count)
    return nullptr;
  return &block;
}

void RegisterImage::age(Duration by) {
  for (auto& block : blocks_) {
    if (block.arrived != MonoTime::min()) block.arrived -= by;
  }
  for (auto& patch : patches_) patch.arrived -= by;
}

bool RegisterImage::declared(Space space, std::uint32_t first, std::uint32_t count) const {
  for (std::uint32_t at = first; at < first + count;) {
    const Block* block = find(space, at);
    if (block == nullptr) return false;
    at = std::uint32_t{block->range.first} + block->range.count;
  }
  return true;
}

RegisterImage::Outcome RegisterImage::read(Space space, std::uint32_t first, std::uint32_t count,
                                           MonoTime oldest, ByteVector& out) const {
  const std::size_t start = out.size();
  const std::uint32_t end = first + count;
  bool fresh = true;
  std::uint32_t bit = 0;
  for (std::uint32_t at = first; at < end;) {
    const Block* block = find(space, at);
    if (block == nullptr) {
      out.resize(start);
      return Outcome::not_polled;
    }
    fresh = fresh && block->arrived != MonoTime::min() && block->arrived >= oldest;
    const std::uint32_t offset = at - block->range.first;
    const std::uint32_t take = std::min(end - at, std::uint32_t{block->range.count} - offset);
    if (is_bits(space)) {
      for (std::uint32_t i = 0; i < take; ++i, ++bit) {
        if (bit % 8 == 0) out.push_back(0);
        out.back() = static_cast<std::uint8_t>(out.back() | block->data[offset + i] << (bit % 8));
      }
    } else {
      const auto* from = block->data.data() + std::size_t{2} * offset;
      out.insert(out.end(), from, from + std::size_t{2} * take);
    }
    at += take;
  }
  if (fresh) return Outcome::ok;
  out.resize(start);
  return Outcome::not_fresh;
}

}  // namespace lightship
