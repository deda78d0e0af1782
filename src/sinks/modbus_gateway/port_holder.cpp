// Finds the socket in /proc/net, then the process that has it open.
#include "sinks/modbus_gateway/port_holder.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>

namespace lightship::gateway {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";  // TCP_LISTEN of the kernel's tcp_states.h

// "socket:[4711]" for each socket that listens on the port.
void listening_sockets(const char* table, std::uint16_t port, std::set<std::string>& into) {
  std::ifstream file(table);
  const std::string ending = fmt::format(":{:04X}", port);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
        timeout >> inode;
    if (state == kListening && local.ends_with(ending)) into.insert("socket:[" + inode + "]");
  }
}

bool has_open(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code hidden;
  for (fs::directory_iterator at(process / "fd", hidden), end; !hidden && at != end;
       at.increment(hidden)) {
    std::error_code closed;
    if (sockets.contains(fs::read_symlink(at->path(), closed).string())) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> holder_of_port(std::uint16_t port) {
  std::set<std::string> sockets;
  listening_sockets("/proc/net/tcp", port, sockets);
  listening_sockets("/proc/net/tcp6", port, sockets);
  if (sockets.empty()) return std::nullopt;

  std::error_code ended;
  for (fs::directory_iterator at("/proc", ended), end; !ended && at != end; at.increment(ended)) {
    const std::string pid = at->path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos || !has_open(at->path(), sockets))
      continue;
    std::string command;
    std::getline(std::ifstream(at->path() / "comm"), command);
    return fmt::format("{}, pid {}", command, pid);
  }
  return std::nullopt;
}

}  // namespace lightship::gateway
