// A disk whose power can be cut: a VFS for SQLite that notes every write and sync, and makes of any
// prefix of them the files as they may lie there after a cut: what was synced is whole, what was
// not is there, missing or torn, in any mixture.
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace lightship::history {

class PowerCutDisk {
 public:
  // Becomes SQLite's default until it goes.
  PowerCutDisk();
  ~PowerCutDisk();
  PowerCutDisk(const PowerCutDisk&) = delete;
  PowerCutDisk& operator=(const PowerCutDisk&) = delete;

  struct Op {
    enum class Kind { write, truncate, sync, remove } kind;
    std::string file;  // without its folder
    std::int64_t offset = 0;
    std::string data;
  };
  const std::vector<Op>& ops() const;

  // The files after a cut behind the first `count` operations.
  void files_after(std::size_t count, std::mt19937& dice, const std::filesystem::path& into) const;
  // The operations up to the last sync of the file among the first `count`.
  std::size_t synced(const std::string& file, std::size_t count) const;
};

}  // namespace lightship::history
