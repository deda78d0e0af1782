// What can be wrong with a meter although each of its keys is right; and the tests inside its file.
//
// A file's test is a request and its answer as RTU frames, and the values they give. The frames of
// a SunSpec meter count their addresses as its registers do, from the id register of the model.
#pragma once

#include "sources/modbus/config.h"

namespace lightship::poller {

// Names that are nowhere, profiles without points, registers that do not fit.
void check_meter(const MeterConfig& meter, config::Mistakes& mistakes);

// Runs the tests of the file: which point, what came, what was expected.
void run_meter_tests(const MeterConfig& meter, config::Mistakes& mistakes);

}  // namespace lightship::poller
