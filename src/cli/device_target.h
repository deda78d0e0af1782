// A configured device, found by the name that a person types.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/load.h"
#include "sources/modbus/module.h"
#include "sources/modbus/setup.h"

namespace lightship::cli {

struct DeviceTarget {
  app::Loaded loaded;  // owns what the pointers below lead to
  const poller::ModbusModule* modbus = nullptr;
  const poller::ConnectionConfig* connection = nullptr;
  poller::DeviceSetup setup;

  link::SerialSettings serial() const;
  const poller::DevicePoint* point(std::string_view name) const;
  std::string no_point(const std::string& name) const;  // the sentence, with what may be meant
};

// Nothing when it was told on stderr why not; `status` is the exit status then. `command` for the
// message: "read".
std::unique_ptr<DeviceTarget> find_device(const std::filesystem::path& config_dir,
                                          const std::string& device, std::string_view command,
                                          int& status);

}  // namespace lightship::cli
