// lightship status: what the running gateway says of itself.
#pragma once

#include <filesystem>
#include <string>

namespace lightship::cli {
// `url` empty: the one in DATA_DIR/portal.url, else http://127.0.0.1:8080.
int status(std::string url, const std::filesystem::path& data_dir, bool json);
}  // namespace lightship::cli
