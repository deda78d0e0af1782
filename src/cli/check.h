// lightship check: every mistake with its place, then the poll plan of each line.
#pragma once

#include <filesystem>

namespace lightship::cli {
int check(const std::filesystem::path& config_dir, bool json);
}
