// Reads /proc/self/mounts, statvfs(3), and what the medium says of its life.
#include "portal/diag/storage.h"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/text.h"

namespace lightship::portal {
namespace {

namespace fs = std::filesystem;

// "\040" for a blank and such (fstab(5)).
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '7';
    };
    if (text[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      const int code = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      out += static_cast<char>(code);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool lies_below(const fs::path& path, const fs::path& mount) {
  const auto [end, at] = std::ranges::mismatch(mount, path);
  // "/" and "/data/" end with an empty part.
  return end == mount.end() || (std::next(end) == mount.end() && end->empty());
}

// The disk of a partition: mmcblk0 of /dev/mmcblk0p2.
std::string disk_of(const SysTree& tree, const std::string& device) {
  const auto name = fs::path(device).filename().string();
  if (!device.starts_with("/dev/") || name.empty()) return {};
  const auto link = tree.target("/sys/class/block/" + name);
  if (link.empty() || !tree.exists("/sys/class/block/" + name + "/partition")) return name;
  return fs::path(link).parent_path().filename().string();
}

// The SMART log of NVMe (NVM Express 1.4, 5.14.1.2): byte 5 is "Percentage Used".
std::optional<int> nvme_wear(const SysTree& tree, const std::string& disk) {
  const auto controller = disk.substr(0, disk.find('n', 4));
  const int fd = ::open(tree.at("/dev/" + controller).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  std::array<std::uint8_t, 512> log{};
  nvme_admin_cmd ask{};
  ask.opcode = 0x02;  // Get Log Page
  ask.nsid = 0xFFFFFFFF;
  ask.addr = reinterpret_cast<std::uintptr_t>(log.data());
  ask.data_len = log.size();
  ask.cdw10 = 0x02 | (log.size() / 4 - 1) << 16;
  ask.timeout_ms = 1000;
  const bool told = ::ioctl(fd, NVME_IOCTL_ADMIN_CMD, &ask) == 0;
  ::close(fd);
  if (!told) return std::nullopt;
  return log[5];
}

}  // namespace

std::vector<Mount> mounts(const SysTree& tree) {
  std::vector<Mount> all;
  const auto text = tree.text("/proc/self/mounts");
  for (const auto line : split(text, '\n')) {
    const auto words = words_of(line, 3);
    if (words.size() < 3) continue;
    Mount mount{unescaped(words[0]), unescaped(words[1]), std::string(words[2])};
    // What is mounted over another one hides it.
    std::erase_if(all, [&](const Mount& older) { return older.path == mount.path; });
    all.push_back(std::move(mount));
  }
  return all;
}

std::optional<Space> space_of(const fs::path& path) {
  struct statvfs told{};
  if (::statvfs(path.c_str(), &told) != 0) return std::nullopt;
  const std::uint64_t unit = told.f_frsize != 0 ? told.f_frsize : told.f_bsize;
  return Space{told.f_blocks * unit, told.f_bavail * unit};
}

std::vector<OurPlace> our_places(const fs::path& config_dir, const fs::path& data_dir) {
  std::error_code failed;
  const auto real = [&](const fs::path& path) {
    auto found = fs::weakly_canonical(path, failed);
    return failed ? fs::absolute(path, failed) : found;
  };
  std::vector<OurPlace> places;
  if (!data_dir.empty()) {
    const auto data = real(data_dir);
    if (fs::exists(data / "history.db", failed)) places.push_back({"history", data});
    if (fs::exists(data / "outbox.db", failed)) places.push_back({"outbox", data});
    if (places.empty()) places.push_back({"data", data});
  }
  if (!config_dir.empty()) places.push_back({"configuration", real(config_dir)});
  if (const auto self = fs::read_symlink("/proc/self/exe", failed); !failed)
    places.push_back({"program", self});
  places.push_back({"system", "/"});
  return places;
}

std::optional<int> wear_percent(const SysTree& tree, const std::string& device) {
  const auto disk = disk_of(tree, device);
  if (disk.empty()) return std::nullopt;
  // eMMC (JESD84-B51, 7.4.43): two kinds of cells, 1 is up to 10%, 11 more than all; 0: not told.
  const auto at = "/sys/class/block/" + disk + "/device/";
  const auto life_time = tree.line(at + "life_time");
  int worst = 0;
  for (const auto word : words_of(life_time, 2)) {
    worst = std::max(worst, static_cast<int>(std::strtol(std::string(word).c_str(), nullptr, 0)));
  }
  // UFS (JESD220, 14.1.4.5) counts in the same way.
  for (const char* file : {"life_time_estimation_a", "life_time_estimation_b"}) {
    for (const char* where : {"health_descriptor/", "../../../health_descriptor/"}) {
      const auto told = tree.number(at + where + file);
      if (told) worst = std::max(worst, static_cast<int>(std::clamp<std::int64_t>(*told, 0, 11)));
    }
  }
  if (worst > 0) return std::min(worst, 11) * 10;
  if (disk.starts_with("nvme")) return nvme_wear(tree, disk);
  return std::nullopt;
}

std::vector<Storage> storage(const SysTree& tree, const std::vector<OurPlace>& ours,
                             const std::function<std::optional<Space>(const fs::path&)>& space) {
  auto mounted = mounts(tree);
  // Without /proc there is at least what we know of ourselves.
  if (mounted.empty()) {
    for (const auto& place : ours) mounted.push_back({"", place.path.string(), ""});
  }
  std::vector<Storage> all;
  for (const auto& mount : mounted)
    all.push_back({mount.path, mount.device, mount.filesystem, 0, 0, {}, {}});
  for (const auto& place : ours) {
    Storage* nearest = nullptr;
    for (auto& one : all) {
      if (lies_below(place.path, one.path) &&
          (nearest == nullptr || one.path.size() > nearest->path.size()))
        nearest = &one;
    }
    if (nearest != nullptr) nearest->holds.push_back(place.what);
  }
  // Other file systems: local disks once each, neither snap's and such images nor boot loaders'
  // variables; a network's might hang.
  std::vector<std::string> seen;
  std::erase_if(all, [&](const Storage& one) {
    if (!one.holds.empty()) {
      seen.push_back(one.device);
      return false;
    }
    if (!one.device.starts_with("/dev/") || one.filesystem == "squashfs" ||
        one.device.starts_with("/dev/loop"))
      return true;
    const bool known = std::ranges::find(seen, one.device) != seen.end();
    seen.push_back(one.device);
    return known;
  });
  std::ranges::sort(all, [](const Storage& a, const Storage& b) {
    return std::pair(a.holds.empty(), a.path) < std::pair(b.holds.empty(), b.path);
  });
  constexpr std::size_t kMost = 32;
  if (all.size() > kMost) all.resize(kMost);
  for (auto& one : all) {
    if (const auto told = space(one.path)) {
      one.bytes = told->bytes;
      one.free_bytes = told->free_bytes;
    }
    one.wear_percent = wear_percent(tree, one.device);
  }
  return all;
}

}  // namespace lightship::portal
