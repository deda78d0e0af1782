// Where the running gateway of a configuration directory listens for commands: an abstract Unix
// socket, named by the directory, so that commands find it without being told and nothing is left
// behind by a kill -9.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

namespace lightship::app {

// With the leading zero byte of an abstract name.
std::string control_address(const std::filesystem::path& config_dir);

struct ControlPeer {
  uid_t uid = 0;
  pid_t pid = 0;
};
std::optional<ControlPeer> control_peer(int fd);  // whoever is at the other end

}  // namespace lightship::app
