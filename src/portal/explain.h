// Why is this value old, this device slow, this line full: from counters, the poll plan and the
// time that characters take on the wire.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/view.h"

namespace lightship::portal {

struct Explanation {
  std::string answer;                                        // one sentence
  std::vector<std::pair<std::string, std::string>> because;  // what, and its figure; empty: none
  std::vector<std::string> advice;
};

// `view` with its poll plans.
Explanation explain_device(const View& view, const DeviceView& device);
Explanation explain_line(const View& view, const LineView& line);
Explanation explain_point(const View& view, const PointsView& points, const PointView& point);

}  // namespace lightship::portal
