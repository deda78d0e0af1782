// The points of a device as the cache knows them: value, age, raw registers.
#pragma once

#include "core/context.h"
#include "core/view.h"

namespace lightship {

PointsView points_of(Context& context, DeviceId device);

}  // namespace lightship
