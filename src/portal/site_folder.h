// Pages from a folder instead of the program, for who works on them (--portal-root).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace lightship::portal {

struct FolderFile {
  std::string bytes;
  std::string type;
  bool login = false;  // the login page is made of it
};

// The file that `path` ("/assets/a.js", decoded) names below `root`. Nothing where there is none,
// or where the way to it leads out of the folder, by dots or by links. Blocks.
std::optional<FolderFile> read_from(const std::filesystem::path& root, const std::string& path);

}  // namespace lightship::portal
