// A configuration file written anew, without its secrets.
//
// Nothing of the file's own text is passed on: what is written comes from what the program declares
// and understands. A value is shown where its key is declared, its type is no secret, and neither
// its name nor what it looks like speaks against it. So comments, keys that nobody knows and values
// of a wrong type tell nothing, however the file is written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/schema.h"
#include "portal/diag/masker.h"

namespace lightship::portal {

// What it hides, `masker` learns; it is still to be swept, when all files were learned. invalid: it
// is no YAML.
Result<std::string> config_text(std::string_view file, const std::vector<config::Described>& keys,
                                Masker& masker);

}  // namespace lightship::portal
