// A database file read with another beginning than it has: the file itself is not touched and
// nothing is copied.
//
// A VFS of its own (https://www.sqlite.org/vfs.html) in front of the system's: what is read of the
// first bytes of the database file is given from memory; all else goes through.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace lightship::sqlite {

class Overlay {
 public:
  explicit Overlay(std::vector<char> beginning);
  ~Overlay();  // no database may be open through it any more
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  // For Database::Options::vfs.
  const char* name() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lightship::sqlite
