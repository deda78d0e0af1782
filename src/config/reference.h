// The documents made from the declarations: docs/configuration.md and the schema for the portal's
// forms.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/schema.h"
#include "config/site.h"

namespace lightship::config {

std::vector<Described> schema_of_file(const SiteFiles::File& file);

std::string markdown(const SiteFiles& files);
std::string markdown(
    const std::vector<Described>& keys);  // the tables alone, for a driver's README

// {"communication.yaml": {"type":"object","properties":{...}}}
std::string schema_json(const SiteFiles& files);
std::string schema_json(const std::vector<Described>& keys);

}  // namespace lightship::config
