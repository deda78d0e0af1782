// GET /api/diag/bundle: all that somebody far away needs to help, and no secret.
//
// A tar.gz, made as it is sent. What the API says is asked of the table of routes itself, so that a
// resource that comes to the API can be had here by one line. What cannot be had is named in
// missing.txt, and the rest is there all the same.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/worker.h"
#include "config/schema.h"
#include "portal/diag/tools.h"
#include "portal/field.h"
#include "portal/router.h"

namespace lightship::portal {

// What the files of the configuration may say, by their names.
using ConfigKeys = std::map<std::string, std::vector<config::Described>>;

struct BundleDesk {
  Context& context;
  Field& field;
  Worker& disk;
  ToolBench& bench;
  std::function<std::string()> prometheus;  // called on the field loop
  std::function<ConfigKeys()> known;        // called on the worker
};

// `router` gets the row and is asked for the rest.
void add_bundle(Router& router, BundleDesk& desk);

// The files of a directory that may be given away, with their names: configuration without
// secrets.yaml and what is called like it.
std::vector<std::filesystem::path> configuration_files(const std::filesystem::path& config_dir);

// "1234  2026-01-04T12:00:00.000Z  history.db", a line for each file below, bounded.
std::string listing(const std::filesystem::path& folder);

}  // namespace lightship::portal
