// What systemd wants to know of a service: ready, status, alive, stopping (sd_notify(3)).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace lightship::app {

class Systemd {
 public:
  Systemd();  // reads NOTIFY_SOCKET and WATCHDOG_USEC, and takes them out of the environment
  ~Systemd();
  Systemd(const Systemd&) = delete;
  Systemd& operator=(const Systemd&) = delete;

  void notify(
      std::string_view message);  // "READY=1"; several lines are allowed; nothing without systemd
  std::optional<Duration> watchdog() const { return watchdog_; }

  // Puts back what the constructor took: for the program that is started in place of this one.
  void put_back() const;

 private:
  int socket_ = -1;
  std::string address_;
  std::map<std::string, std::string> taken_;  // of the environment
  std::optional<Duration> watchdog_;
};

}  // namespace lightship::app
