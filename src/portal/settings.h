// What portal.yaml says.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.h"
#include "portal/http/tls.h"

namespace lightship::portal {

struct Settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  bool port_named = false;  // false: any free port will do where this one is taken
  bool metrics_public = false;

  enum class Tls { none, own, files };
  Tls tls = Tls::none;  // own: a certificate made here, in DATA_DIR
  TlsFiles tls_files;

  struct Sessions {
    Duration idle = std::chrono::hours(12);         // without a request
    Duration longest = std::chrono::hours(7 * 24);  // from the log-in on
    friend bool operator==(const Sessions&, const Sessions&) = default;
  } sessions;

  // For development: pages from this folder instead of those in the program.
  std::filesystem::path pages;

  // Requests a second for long, of one address without a session, and of one session or token;
  // ten times as many at once. 0: no limit.
  double guest_rate = 50, session_rate = 100;

  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace lightship::portal
