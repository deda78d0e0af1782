// A configuration directory, read and checked as a whole; nothing is started by it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/house.h"
#include "config/module.h"
#include "portal/api/bundle.h"
#include "portal/api/diag.h"

namespace lightship::app {

struct Loaded {
  config::Mistakes mistakes;
  config::Site site;
  HouseConfig house;
  std::vector<std::unique_ptr<config::Module>> modules;
  std::vector<config::LinePlan> plans;
  std::vector<Part> parts;
  std::string hash;  // of everything that was read: what /api/status shows

  bool ok() const { return !mistakes.has_errors(); }
};

Loaded load_site(const std::filesystem::path& directory);

// Whom it talks to, and which part uses which serial port.
portal::OurUses uses_of(const Loaded& loaded);

// What each file may say, but for those that are not looked into yet. Of any thread.
portal::ConfigKeys config_keys();

// The sections of every module, for the documents.
std::string reference_markdown();

}  // namespace lightship::app
