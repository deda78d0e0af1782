// /sys/class/tty for the ports, /dev/serial for their stable names, /proc for who has one open.
#include "link/serial_ports.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lightship::link {
namespace {

namespace fs = std::filesystem;

std::map<fs::path, std::vector<std::string>> stable_names() {
  std::map<fs::path, std::vector<std::string>> names;
  for (const char* folder : {"/dev/serial/by-id", "/dev/serial/by-path"}) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(folder, missing)) {
      std::error_code dangling;
      const auto device = fs::canonical(entry.path(), dangling);
      if (!dangling) names[device].push_back(entry.path().string());
    }
  }
  return names;
}

std::string first_line(const fs::path& file) {
  std::string line;
  std::ifstream in(file);
  std::getline(in, line);
  return line;
}

// The USB device is two levels above its tty; other ports have no such texts.
std::string description_of(const fs::path& tty) {
  std::error_code missing;
  auto at = fs::canonical(tty / "device", missing);
  for (int level = 0; !missing && level < 4; ++level, at = at.parent_path()) {
    const auto product = first_line(at / "product");
    if (product.empty()) continue;
    const auto maker = first_line(at / "manufacturer");
    return maker.empty() ? product : maker + " " + product;
  }
  return {};
}

std::string driver_of(const fs::path& tty) {
  std::error_code missing;
  auto driver = fs::canonical(tty / "device" / "driver", missing).filename().string();
  if (driver != "port") return driver;
  // Since Linux 6.6 a tty hangs on a port and that on its controller, which has the driver.
  driver = fs::canonical(tty / "device" / ".." / ".." / "driver", missing).filename().string();
  return missing ? std::string() : driver;
}

// The kernel lists 8250 ports that do not exist; those have the type "unknown", written 0.
bool has_hardware(const fs::path& tty) {
  std::error_code missing;
  return fs::exists(tty / "device", missing) && first_line(tty / "type") != "0";
}

std::string command_of(const fs::path& process) {
  std::ifstream in(process / "cmdline", std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  while (!text.empty() && text.back() == '\0') text.pop_back();
  for (auto& c : text)
    if (c == '\0' || static_cast<unsigned char>(c) < ' ') c = ' ';
  if (text.empty()) text = first_line(process / "comm");
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

bool has_open(const fs::path& process, dev_t terminal, int except) {
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(process / "fd", gone)) {
    if (except >= 0 && entry.path().filename() == std::to_string(except)) continue;
    struct stat node{};
    if (::stat(entry.path().c_str(), &node) == 0 && S_ISCHR(node.st_mode) &&
        node.st_rdev == terminal)
      return true;
  }
  return false;
}

}  // namespace

std::vector<SerialPort> serial_ports() {
  auto names = stable_names();
  std::vector<SerialPort> ports;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator("/sys/class/tty", missing)) {
    const auto device = fs::path("/dev") / entry.path().filename();
    if (!has_hardware(entry.path()) || !fs::exists(device, missing)) continue;
    ports.push_back(
        {device.string(), names[device], description_of(entry.path()), driver_of(entry.path())});
    names.erase(device);
  }
  // Where /sys is not mounted (containers) the links are all there is.
  for (auto& [device, links] : names)
    if (!links.empty()) ports.push_back({device.string(), links, {}, {}});
  std::ranges::sort(ports, [](const SerialPort& a, const SerialPort& b) {
    return std::tuple(a.stable.empty(), a.device) < std::tuple(b.stable.empty(), b.device);
  });
  return ports;
}

std::optional<PortHolder> holder_of(dev_t terminal, int except) {
  std::error_code missing;
  const auto own = ::getpid();
  std::optional<PortHolder> found;
  for (const auto& entry : fs::directory_iterator("/proc", missing)) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (wrong != std::errc{} || end != name.data() + name.size()) continue;
    if (!has_open(entry.path(), terminal, pid == own ? except : -1)) continue;
    found = PortHolder{pid, command_of(entry.path())};
    if (pid != own) break;  // ourselves only when nobody else does
  }
  return found;
}

}  // namespace lightship::link
