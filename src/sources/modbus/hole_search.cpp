// Halving, then asking the suspect alone.
#include "sources/modbus/hole_search.h"

#include <algorithm>

namespace lightship::poller {

HoleSearch::HoleSearch(const Block& block, std::vector<PlanPoint> points,
                       std::uint16_t longest_good)
    : space_(block.space), longest_good_(longest_good) {
  std::ranges::sort(points, {}, &PlanPoint::address);
  for (const auto& point : points) {
    const std::uint32_t end = std::uint32_t{point.address} + point.count;
    if (!atoms_.empty() && point.address < atoms_.back().end)
      atoms_.back().end = std::max(atoms_.back().end, end);
    else
      atoms_.push_back({point.address, end});
  }
  refused_ = atoms_.size();
  halve();
}

HoleSearch::Read HoleSearch::from_to(std::size_t first, std::size_t last) const {
  return {static_cast<std::uint16_t>(atoms_[first].first),
          static_cast<std::uint16_t>(atoms_[last].end - atoms_[first].first)};
}

void HoleSearch::halve() {
  next_.reset();
  if (refused_ == 0) return;
  if (refused_ - served_ > 1) {
    next_ = from_to(0, (served_ + refused_) / 2 - 1);
  } else if (refused_ == 1) {
    found_hole(atoms_[0].first, atoms_[0].end, true);
  } else {
    step_ = Step::alone;
    next_ = from_to(refused_ - 1, refused_ - 1);
  }
}

void HoleSearch::told(bool good) {
  if (!next_) return;
  const auto read = *next_;
  next_.reset();
  if (good) {
    good_ = read;
    longest_good_ = std::max(longest_good_, read.count);
  }
  switch (step_) {
    case Step::beginning:
      (good ? served_ : refused_) = (served_ + refused_) / 2;
      halve();
      return;
    case Step::alone:
      if (!good) return found_hole(atoms_[refused_ - 1].first, atoms_[refused_ - 1].end, true);
      if (refused_ == 2) return found_boundary();
      step_ = Step::together;
      next_ = from_to(refused_ - 2, refused_ - 1);
      return;
    case Step::together:
      if (!good) return found_boundary();
      // Each part is served, only the whole is not: it is too long.
      finding_.limit = from_to(0, refused_ - 2).count;
      return;
  }
}

void HoleSearch::found_hole(std::uint32_t first, std::uint32_t end, bool of_points) {
  Hole hole;
  hole.space = space_;
  hole.first = static_cast<std::uint16_t>(first);
  hole.count = static_cast<std::uint16_t>(end - first);
  hole.of_points = of_points;
  finding_.hole = hole;
}

void HoleSearch::found_boundary() {
  const auto& left = atoms_[refused_ - 2];
  const auto& right = atoms_[refused_ - 1];
  // Nothing lies between them, and nothing as long has ever been answered.
  if (left.end == right.first && right.end - left.first > longest_good_) {
    finding_.limit = longest_good_;
    return;
  }
  found_hole(left.end, right.first, false);
}

}  // namespace lightship::poller
