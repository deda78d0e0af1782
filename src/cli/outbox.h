// lightship outbox: what waits on disk, and what was set aside and why.
#pragma once

#include <filesystem>

namespace lightship::cli {
int outbox(const std::filesystem::path& data_dir, bool json);
}  // namespace lightship::cli
