// The points of one device by how often they are read: each group has an interval, a plan and a
// grid of times of its own. Alarm points are a group that goes first.
#pragma once

#include <memory>
#include <vector>

#include "sources/modbus/device_setup.h"
#include "sources/modbus/schedule.h"

namespace lightship::poller {

struct PollGroup {
  Duration interval{};
  bool alarm = false;
  std::vector<std::uint16_t> points;  // indices of the device's points, in their order
  // Block::points are indices into `points`. Replaced as a whole when something is learned: who is
  // reading keeps the plan that it began with.
  std::shared_ptr<const std::vector<Block>> blocks;
};

// Alarms first, then by interval. Every point is in one group; the scale register of a point that
// is in no group of its own choosing goes with the point.
std::vector<PollGroup> group_points(const DeviceSetup& setup);

// Makes the group's plan.
void plan_group(PollGroup& group, const std::vector<DevicePoint>& points, const PlanLimits& limits,
                const std::vector<Hole>& holes);

// Whether something is asked for at every poll.
bool has_normal_blocks(const std::vector<Block>& blocks);

}  // namespace lightship::poller
