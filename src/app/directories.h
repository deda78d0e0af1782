// CONFIG_DIR and DATA_DIR: made when missing, locked against a second instance, checked for
// writing.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace lightship::app {

// The default directories: ~/.config/lightship and ~/.local/share/lightship.
std::filesystem::path default_config_dir();
std::filesystem::path default_data_dir();

// Makes the directory with commented examples. True when it made something.
Result<bool> make_config_dir(const std::filesystem::path& directory);

// Holds DATA_DIR while it lives: one running instance per directory.
class DataLock {
 public:
  // Makes the directory, tries to write, takes the lock. The error names the other instance's pid.
  static Result<DataLock> take(const std::filesystem::path& directory);
  DataLock(DataLock&& other) noexcept;
  DataLock& operator=(DataLock&&) = delete;
  ~DataLock();

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  int fd_;
};

// Free space of the file system in bytes; 0 when it cannot be told.
std::uint64_t free_space(const std::filesystem::path& directory);

}  // namespace lightship::app
