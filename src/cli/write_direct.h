// A write over the device's own line, with the driver's own guard and audit: no gateway runs.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/device_target.h"
#include "cli/write.h"

namespace lightship::cli {

// The reply as JSON text.
Result<std::string> write_direct(const DeviceTarget& target, const WriteOptions& options);

}  // namespace lightship::cli
