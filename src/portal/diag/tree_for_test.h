// A /proc, /sys and /etc of a test: files and links written as literals, gone when the test is.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "portal/diag/sys_tree.h"

namespace lightship::portal {

class TreeForTest {
 public:
  TreeForTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "lightship-tree-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  ~TreeForTest() { std::filesystem::remove_all(root_); }
  TreeForTest(const TreeForTest&) = delete;
  TreeForTest& operator=(const TreeForTest&) = delete;

  TreeForTest& file(const std::string& path, std::string_view content) {
    const auto where = root_ / path.substr(1);
    std::filesystem::create_directories(where.parent_path());
    std::ofstream(where, std::ios::binary) << content;
    return *this;
  }
  TreeForTest& folder(const std::string& path) {
    std::filesystem::create_directories(root_ / path.substr(1));
    return *this;
  }
  TreeForTest& link(const std::string& path, const std::string& to) {
    const auto where = root_ / path.substr(1);
    std::filesystem::create_directories(where.parent_path());
    std::filesystem::create_symlink(to, where);
    return *this;
  }
  SysTree tree() const { return SysTree(root_); }
  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};

}  // namespace lightship::portal
