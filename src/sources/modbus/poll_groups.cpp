// Sorts points into groups.
#include "sources/modbus/poll_groups.h"

#include <algorithm>
#include <map>

namespace lightship::poller {

std::vector<PollGroup> group_points(const DeviceSetup& setup) {
  std::map<std::pair<bool, Duration>, PollGroup> groups;  // false, an alarm, comes first
  for (std::size_t i = 0; i < setup.points.size(); ++i) {
    const auto& point = setup.points[i];
    const auto interval = point.interval.count() > 0 ? point.interval : setup.info.poll_interval;
    auto& group = groups[{!point.alarm, interval}];
    group.interval = interval;
    group.alarm = point.alarm;
    group.points.push_back(static_cast<std::uint16_t>(i));
  }
  std::vector<PollGroup> sorted;
  for (auto& [key, group] : groups) {
    plan_group(group, setup.points, setup.limits, {});
    sorted.push_back(std::move(group));
  }
  return sorted;
}

void plan_group(PollGroup& group, const std::vector<DevicePoint>& points, const PlanLimits& limits,
                const std::vector<Hole>& holes) {
  std::vector<PlanPoint> places;
  for (const auto point : group.points) places.push_back(points[point].where);
  group.blocks = std::make_shared<const std::vector<Block>>(plan(places, limits, holes));
}

bool has_normal_blocks(const std::vector<Block>& blocks) {
  return std::ranges::any_of(blocks, [](const Block& block) { return block.hole < 0; });
}

}  // namespace lightship::poller
