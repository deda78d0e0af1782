// The small files of /proc, /sys and /etc, below a root that a test may choose.
//
// Everything is bounded and nothing is an error: what is not there, cannot be read or is longer
// than anybody expects reads as nothing. Blocking, though these files are not on a disk: use it on
// a Worker where a driver may take its time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lightship::portal {

class SysTree {
 public:
  static constexpr std::size_t kMostBytes = 256 * 1024;
  static constexpr std::size_t kMostNames = 512;

  explicit SysTree(std::filesystem::path root = "/") : root_(std::move(root)) {}

  // "/proc/stat", below the root.
  std::filesystem::path at(std::string_view path) const;

  std::string text(std::string_view path) const;
  std::string line(std::string_view path) const;  // the first one, without what does not show
  std::optional<std::int64_t> number(std::string_view path) const;  // decimal, or hex after 0x
  std::vector<std::string> names(std::string_view folder) const;    // sorted, natural order
  bool exists(std::string_view path) const;
  std::string target(std::string_view link) const;  // what a symbolic link says, as it stands

 private:
  std::filesystem::path root_;
};

// "MemTotal:  16384 kB" -> 16384; of the line that begins with this name and a colon.
std::optional<std::uint64_t> figure_named(std::string_view text, std::string_view name);
// The value of KEY=VALUE or KEY="VALUE" (os-release(5)), of "KEY : VALUE" with ':' (cpuinfo).
std::string value_named(std::string_view text, std::string_view name, char separator);
// The words of a line, at most `most`.
std::vector<std::string_view> words_of(std::string_view line, std::size_t most = 64);

}  // namespace lightship::portal
