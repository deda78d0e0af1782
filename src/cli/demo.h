// `lightship demo`: the gateway on a simulated site, with a broker of its own and a screen to watch
// it.
//
// Three children do the work, each a process of its own: the site (sim/site.h), mosquitto, and the
// gateway, which runs by ordinary configuration files. This process only watches, as anybody could:
// it listens at the broker and asks the portal. They end with it, whatever ends it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace lightship::cli {

struct DemoOptions {
  std::filesystem::path data;         // empty: a fresh temporary directory, removed at the end
  std::filesystem::path portal_root;  // empty: the pages in the program
  // Nothing: the usual port, or any free one when it is taken. 0: any free one.
  std::optional<std::uint16_t> portal_port, gateway_port, mqtt_port;
  std::optional<std::chrono::seconds> seconds;
};

// Returns the exit status (app/app.h, Exit).
int demo(const DemoOptions& options);

}  // namespace lightship::cli
