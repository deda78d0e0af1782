// What belongs to no driver: who we are, the portal's address, the logs, and the keys of parts to
// come.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "config/module.h"
#include "core/frame_ring.h"
#include "portal/settings.h"

namespace lightship::app {

struct HouseConfig {
  std::string device_id = "lightship";
  std::optional<Level> log_level;
  std::map<std::string, Level> component_levels;
  std::string listen = "127.0.0.1:8080";
  bool listen_named = false;  // portal.yaml says so: no other port will do
  bool metrics_public = false;
  config::ByteSize frames_memory{FrameRing::kMemory};
  portal::Settings portal;  // but for address and port
  config::OutboxSettings outbox;
};

class House final : public config::Module {
 public:
  void declare(config::SiteFiles& files) override;
  void gather(config::Site& site, config::Mistakes& mistakes) override;
  std::vector<Part> parts(const config::Site&) override { return {}; }
  const HouseConfig& config() const { return config_; }

 private:
  HouseConfig config_;
};

// "0.0.0.0:8080", "[::1]:8080", ":8080" -> address and port; nothing when it is none.
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
  bool loopback() const;
};
std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace lightship::app
