// Names of control sockets.
#include "app/control_address.h"

#include <fmt/format.h>
#include <sys/socket.h>

namespace lightship::app {

std::string control_address(const std::filesystem::path& config_dir) {
  std::error_code ignored;
  auto canonical = std::filesystem::canonical(config_dir, ignored).string();
  if (canonical.empty()) canonical = std::filesystem::absolute(config_dir, ignored).string();
  // FNV-1a, 64 bits: the same in every version of the program.
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : canonical) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 0x100000001B3u;
  }
  return std::string(1, '\0') + fmt::format("lightship/{:016x}", hash);
}

std::optional<ControlPeer> control_peer(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return ControlPeer{peer.uid, peer.pid};
}

}  // namespace lightship::app
