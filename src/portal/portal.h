// The portal's thread: an HTTP listener that reads what the field loop tells of itself.
//
// Nothing here touches the field loop's data: a question is posted there and waited for, with a
// limit, so that a slow browser never delays a poll and a loop that hangs still shows on /healthz.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "portal/http_server.h"

namespace lightship::portal {

// Answered on the field loop.
struct Sources {
  std::function<std::string()> metrics;            // Prometheus text
  std::function<std::string()> status;             // JSON
  std::function<std::string()> page;               // the status page's HTML
  std::function<std::vector<std::string>()> late;  // what does not make progress
  std::function<bool()> ready;
};

struct PortalSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  bool port_named = false;  // false: any free port will do where this one is taken
  bool metrics_public = false;
};

class Portal {
 public:
  Portal(asio::any_io_executor field, Sources sources, Logbook& logbook);
  ~Portal();  // stops

  // Starts the thread. A named address that is taken is tried again and again there; nothing here
  // fails.
  void start(const PortalSettings& settings, std::function<void(std::string url)> listening);
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace lightship::portal
