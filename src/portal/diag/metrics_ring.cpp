// Two rings and an average.
#include "portal/diag/metrics_ring.h"

#include <algorithm>

namespace lightship::portal {
namespace {

constexpr std::size_t kPerMinute = MetricsRing::kCoarseStep / MetricsRing::kStep;

MetricsRing::Row average(const std::vector<MetricsRing::Row>& rows) {
  auto sum = MetricsRing::nothing();
  for (std::size_t column = 0; column < sum.size(); ++column) {
    double total = 0;
    int count = 0;
    for (const auto& row : rows) {
      if (std::isnan(row[column])) continue;
      total += row[column];
      ++count;
    }
    if (count > 0) sum[column] = total / count;
  }
  return sum;
}

}  // namespace

void MetricsRing::add(const Row& row) {
  fine_.push_back(row);
  if (fine_.size() > kFine) fine_.pop_front();
  minute_.push_back(row);
  if (minute_.size() < kPerMinute) return;
  coarse_.push_back(average(minute_));
  if (coarse_.size() > kCoarse) coarse_.pop_front();
  minute_.clear();
}

void MetricsRing::add_gap(std::size_t rows) {
  // More than is kept changes nothing any more.
  rows = std::min(rows, kCoarse * kPerMinute);
  for (; rows > 0; --rows) add(nothing());
}

MetricsRing::Past MetricsRing::past(std::chrono::minutes back) const {
  Past past;
  const bool fine = back <= kStep * kFine;
  past.step = fine ? kStep : kCoarseStep;
  const auto& rows = fine ? fine_ : coarse_;
  const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(back / past.step, 0));
  const auto count = std::min(wanted, rows.size());
  past.rows.assign(rows.end() - static_cast<std::ptrdiff_t>(count), rows.end());
  return past;
}

}  // namespace lightship::portal
