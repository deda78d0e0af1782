// The running gateway of a configuration directory, asked over its control socket.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/clock.h"
#include "base/result.h"

namespace lightship::cli {

class RunningGateway {
 public:
  // Nothing when none runs with this directory.
  static std::optional<RunningGateway> find(const std::filesystem::path& config_dir);
  // Those of this machine that this user may ask, whatever their directories.
  static std::vector<RunningGateway> all();
  RunningGateway(RunningGateway&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RunningGateway& operator=(RunningGateway&&) = delete;
  ~RunningGateway();

  // Sends the command and waits for its answer, at most `limit`: the object behind "ok" as text
  // (its numbers are written as they should be shown), or the error with its code and detail.
  // Errc::closed when the gateway ended meanwhile.
  Result<std::string> ask(const boost::json::object& command, Duration limit);

 private:
  explicit RunningGateway(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace lightship::cli
