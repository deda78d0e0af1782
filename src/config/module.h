// A module: one source, sink or notifier as the house sees it before anything runs.
//
// A load makes fresh modules; each declares its sections of the files, is filled by them, tells the
// others what it brings, checks itself against them and names the parts to run. Nothing is started
// by a module, so a configuration that is wrong is thrown away without a trace.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/shared_list.h"
#include "config/mistake.h"
#include "config/outbox_settings.h"
#include "config/site.h"
#include "core/catalog.h"
#include "core/part.h"

namespace lightship::config {

// What the modules know of each other.
struct Site {
  std::string device_id;
  std::filesystem::path config_dir;
  OutboxSettings outbox;  // one for all sinks

  struct Device {
    DeviceInfo info;
    SharedList<std::string> points;
    std::vector<RegisterImage::Range> ranges;  // what is polled of it
    Position at, type_at, unit_at;
    bool unit_known = true;  // false: something is wrong with it, and that is told already
  };
  std::vector<Device> devices;

  // Whom the gateway talks to beside its devices: brokers and endpoints.
  struct Peer {
    std::string name;  // "MQTT broker", "HTTP endpoint billing"
    std::string host;
    std::uint16_t port = 0;
  };
  std::vector<Peer> peers;
};

// The poll plan of one line, as `lightship check` shows it.
struct LinePlan {
  std::string connection;
  std::string line;           // "/dev/ttyS0 9600 8N1", "tcp 192.0.2.1:502"
  std::size_t requests = 0;   // in one round over all devices
  double cycle_ms = 0;        // what that round takes
  double load_percent = 0;    // of the line's time, at the configured intervals
  Duration fastest{};         // the shortest poll interval
  Duration assumed_answer{};  // what a device is taken to need before it answers
  Position at;
  struct DevicePlan {
    std::string client;
    std::size_t requests = 0, points = 0, registers = 0;
    double cycle_ms = 0;
    Duration interval{};
    std::vector<std::string> blocks;  // "holding 3900-3961"
  };
  std::vector<DevicePlan> devices;
};

// The files that one section of certificates names.
struct NamedFiles {
  Position at;
  std::string ca_file, cert_file, key_file;  // relative to the configuration directory
};
// Warns of those that are not there: the gateway would start and not get through.
void check_files(const Site& site, const NamedFiles& named, Mistakes& mistakes);

class Module {
 public:
  virtual ~Module() = default;
  virtual void declare(SiteFiles& files) = 0;
  virtual void gather(Site&, Mistakes&) {}
  virtual void check(const Site&, Mistakes&) {}
  virtual std::vector<LinePlan> plans(const Site&) { return {}; }
  virtual std::vector<Part> parts(const Site& site) = 0;
};

}  // namespace lightship::config
