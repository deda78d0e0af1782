// Where files lie: file systems with what is free, how worn the medium is, and what of ours is on
// it.
#pragma once

#include <functional>

#include "portal/diag/sys_tree.h"

namespace lightship::portal {

struct Mount {
  std::string device, path, filesystem;
};
std::vector<Mount> mounts(const SysTree& tree);  // /proc/self/mounts, newest of a path only

struct Space {
  std::uint64_t bytes = 0, free_bytes = 0;  // free: for who is not root
};
// Blocks where a network file system hangs: on a Worker only.
std::optional<Space> space_of(const std::filesystem::path& path);

struct OurPlace {
  std::string what;  // "history", "outbox", "configuration", "program", "system"
  std::filesystem::path path;
};
// What is there of these: history and outbox with their files.
std::vector<OurPlace> our_places(const std::filesystem::path& config_dir,
                                 const std::filesystem::path& data_dir);

struct Storage {
  std::string path, device, filesystem;
  std::uint64_t bytes = 0, free_bytes = 0;
  std::optional<int> wear_percent;
  std::vector<std::string> holds;
};
// File systems with something of ours first, then the other local ones that are on a device.
std::vector<Storage> storage(
    const SysTree& tree, const std::vector<OurPlace>& ours,
    const std::function<std::optional<Space>(const std::filesystem::path&)>& space);

// How much of the medium's life is used, at most; 100 and more: all of it. eMMC and UFS tell it to
// everybody in steps of 10, NVMe to root; SD cards, and most SATA disks without root, do not.
std::optional<int> wear_percent(const SysTree& tree, const std::string& device);

}  // namespace lightship::portal
