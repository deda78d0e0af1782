// From configuration to what the poller runs on: points by profile, limits, plan, line.
#pragma once

#include "config/module.h"
#include "sources/modbus/config.h"
#include "sources/modbus/line_source.h"
#include "sources/modbus/meters.h"

namespace lightship::poller {

// The points a device is to be read for: those of its model's profile, then its own, which replace
// the model's where they have the same name.
std::vector<DevicePoint> device_points(const DeviceConfig& device, const Meters& meters);

DeviceSetup device_setup(const ConnectionConfig& connection, const DeviceConfig& device,
                         const Meters& meters);
LineSetup line_setup(const ConnectionConfig& connection, const Meters& meters);

// "serial /dev/ttyS0 9600 8N1", "tcp 192.0.2.1:502".
std::string line_name(const ConnectionConfig& connection, const Meters& meters);

// The rate of the line: given, else the first meter's own, else 9600.
std::optional<unsigned> meter_baud(const ConnectionConfig& connection, const Meters& meters);

// `notes`: what the port could not be set to and what does not stop us.
Task<Result<std::unique_ptr<Conversation>>> open_line(asio::any_io_executor executor, Clock& clock,
                                                      const ConnectionConfig& connection,
                                                      const link::SerialSettings& settings,
                                                      std::vector<std::string>* notes = nullptr,
                                                      std::shared_ptr<FrameLine> frames = nullptr);

// The plan of the line, with what it costs.
config::LinePlan line_plan(const ConnectionConfig& connection, const Meters& meters);

}  // namespace lightship::poller
