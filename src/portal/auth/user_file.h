// DATA_DIR/users.json: mode 0600, written atomically, and under a lock while it is changed, for
// the gateway and `lightship user` may both do that.
//
// Blocking: for a Worker or a command.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "portal/auth/users.h"

namespace lightship::portal {

// Tells one state of a file from another without reading it. All zero: there is none.
struct FileMark {
  std::uint64_t inode = 0, size = 0, changed_ns = 0;
  bool operator==(const FileMark&) const = default;
};
FileMark mark_of(const std::filesystem::path& file);

class UserFile {
 public:
  struct Content {
    UserList list;
    FileMark mark;
  };
  enum class Missing { is_empty, is_wrong };
  using Change = std::function<Result<void>(UserList&)>;

  explicit UserFile(std::filesystem::path file) : file_(std::move(file)) {}
  const std::filesystem::path& path() const { return file_; }

  // Nothing: there is no such file. An error says what to do with a damaged one.
  Result<std::optional<Content>> read() const;
  // Reads, changes and writes under the lock. What `change` refuses is not written.
  Result<Content> change(const Change& change, Missing missing) const;

 private:
  Result<Content> change_locked(const Change& change, Missing missing) const;
  std::filesystem::path file_;
};

}  // namespace lightship::portal
