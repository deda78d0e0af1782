// Reads the device tree, DMI, cpuinfo and the GPIO chips.
#include "portal/diag/hardware.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <linux/gpio.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"

namespace lightship::portal {
namespace {

// What makers leave in DMI when they have nothing to say.
bool says_nothing(std::string_view text) {
  const auto word = to_lower(text);
  for (const char* empty : {"", "to be filled by o.e.m.", "system product name", "default string",
                            "system manufacturer", "not specified", "none", "o.e.m.", "undefined"})
    if (word == empty) return true;
  return false;
}

// MIDR_EL1 part numbers of Arm Ltd. (implementer 0x41), as the kernel's cputype.h has them.
std::string_view arm_part(std::string_view part) {
  struct Part {
    std::string_view number, name;
  };
  constexpr Part kParts[] = {
      {"0xb76", "ARM1176"},    {"0xc05", "Cortex-A5"},  {"0xc07", "Cortex-A7"},
      {"0xc08", "Cortex-A8"},  {"0xc09", "Cortex-A9"},  {"0xc0f", "Cortex-A15"},
      {"0xd03", "Cortex-A53"}, {"0xd04", "Cortex-A35"}, {"0xd05", "Cortex-A55"},
      {"0xd07", "Cortex-A57"}, {"0xd08", "Cortex-A72"}, {"0xd09", "Cortex-A73"},
      {"0xd0a", "Cortex-A75"}, {"0xd0b", "Cortex-A76"}, {"0xd0c", "Neoverse-N1"},
      {"0xd41", "Cortex-A78"}};
  for (const auto& known : kParts)
    if (known.number == part) return known.name;
  return {};
}

std::optional<GpioChip> ask_chip(const SysTree& tree, const std::string& name) {
  const int fd = ::open(tree.at("/dev/" + name).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  gpiochip_info info{};
  const bool told = ::ioctl(fd, GPIO_GET_CHIPINFO_IOCTL, &info) == 0;
  ::close(fd);
  if (!told) return std::nullopt;
  const auto text = [](const char* from, std::size_t size) {
    return std::string(from, ::strnlen(from, size));
  };
  return GpioChip{text(info.name, sizeof info.name), text(info.label, sizeof info.label),
                  info.lines};
}

}  // namespace

std::string board(const SysTree& tree) {
  for (const char* file : {"/proc/device-tree/model", "/sys/firmware/devicetree/base/model"}) {
    if (auto model = tree.line(file); !model.empty()) return model;
  }
  std::string text;
  for (const char* part : {"sys_vendor", "product_name", "product_version"}) {
    const auto word = tree.line(std::string("/sys/class/dmi/id/") + part);
    if (says_nothing(word) || text.find(word) != std::string::npos) continue;
    // A product that begins with its maker's name says both.
    text = word.starts_with(text) ? word : text + " " + word;
  }
  return text;
}

Cpu cpu(const SysTree& tree, std::string machine) {
  Cpu found;
  found.architecture = std::move(machine);
  const auto info = tree.text("/proc/cpuinfo");
  for (const auto line : split(info, '\n')) {
    if (line.starts_with("processor") && line.find(':') != std::string_view::npos) ++found.cores;
  }
  if (found.cores == 0) found.cores = system_figures(tree).cores;
  for (const char* name : {"model name", "cpu model", "cpu", "uarch"}) {
    if (found.model = value_named(info, name, ':'); !found.model.empty()) break;
  }
  if (const auto part = arm_part(value_named(info, "CPU part", ':'));
      !part.empty() && value_named(info, "CPU implementer", ':') == "0x41")
    found.model = part;
  if (found.model.empty()) found.model = found.architecture;
  // What it may reach; where that is not told, what it runs at.
  if (const auto khz = tree.number("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")) {
    found.frequency_mhz = static_cast<double>(*khz) / 1000;
  } else if (const auto now = value_named(info, "cpu MHz", ':'); !now.empty()) {
    double mhz = 0;
    const auto read = std::from_chars(now.data(), now.data() + now.size(), mhz);
    if (read.ec == std::errc{} && mhz > 0) found.frequency_mhz = mhz;
  }
  return found;
}

std::string os_name(const SysTree& tree) {
  for (const char* file : {"/etc/os-release", "/usr/lib/os-release"}) {
    if (auto name = value_named(tree.text(file), "PRETTY_NAME", '='); !name.empty()) return name;
  }
  return "Linux";
}

Kernel kernel() {
  utsname told{};
  if (::uname(&told) != 0) return {};
  return {told.release, told.machine};
}

std::vector<GpioChip> gpio_chips(const SysTree& tree) {
  std::vector<GpioChip> chips;
  const auto add = [&](GpioChip chip) {
    const auto same = [&](const GpioChip& known) { return known.chip == chip.chip; };
    if (std::ranges::none_of(chips, same)) chips.push_back(std::move(chip));
  };
  for (const auto& name : tree.names("/dev")) {
    if (!name.starts_with("gpiochip")) continue;
    if (auto chip = ask_chip(tree, name)) add(std::move(*chip));
  }
  if (!chips.empty()) return chips;
  // Only root and the group gpio may open the chips. The old interface numbers a chip by its first
  // line, and says the same of it to everybody.
  for (const auto& name : tree.names("/sys/class/gpio")) {
    if (!name.starts_with("gpiochip")) continue;
    const auto at = "/sys/class/gpio/" + name;
    add({name, tree.line(at + "/label"),
         static_cast<unsigned>(
             std::clamp<std::int64_t>(tree.number(at + "/ngpio").value_or(0), 0, 65535))});
  }
  if (!chips.empty()) return chips;
  for (const auto& name : tree.names("/sys/bus/gpio/devices")) {
    if (name.starts_with("gpiochip")) add({name, {}, 0});
  }
  return chips;
}

}  // namespace lightship::portal
