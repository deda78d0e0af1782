// The modules that are built in, by the roll call of src/modules.def.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/module.h"

namespace lightship::app {

struct BuiltIn {
  std::string kind, name;  // "source", "modbus"
  std::unique_ptr<config::Module> (*make)();
};
const std::vector<BuiltIn>& built_in();

}  // namespace lightship::app
