// lightship restart: stops one part of the running gateway and starts it again.
#pragma once

#include <filesystem>
#include <string>

namespace lightship::cli {
int restart(const std::filesystem::path& config_dir, const std::string& part);
}  // namespace lightship::cli
