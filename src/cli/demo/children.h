// The demo's three children.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/app.h"
#include "base/result.h"
#include "cli/demo/child.h"
#include "sim/site.h"

namespace lightship::cli {

// Forks the simulated site and returns where it is.
Result<sim::SiteAddresses> start_site(std::unique_ptr<Child>& child);

// Forks mosquitto on that port of the loopback; returns when it listens. Its configuration and log
// are in `directory`. Errors: unavailable when there is none, or with what it said.
Result<void> start_broker(std::unique_ptr<Child>& child, std::uint16_t port,
                          const std::filesystem::path& directory);

// Forks the gateway. Its portal's address comes, as a line, through the returned descriptor.
Result<int> start_gateway(std::unique_ptr<Child>& child, app::Options options,
                          const std::filesystem::path& log);

}  // namespace lightship::cli
