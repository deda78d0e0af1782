// The picture of the field: what runs, which lines and devices there are and how they do, at one
// moment.
//
// Plain copies that are filled on the field loop and then belong to nobody, so that the portal's
// thread may turn them into JSON at its leisure. Filling is quick: no text is made that can be made
// later, and what is large (poll plans, points) is asked for by itself.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/value.h"
#include "core/event.h"
#include "core/point.h"
#include "core/register_image.h"

namespace lightship {

// What went wrong how often: "timeout", "bad CRC", "exception 2".
using ErrorCounts = std::vector<std::pair<std::string, std::uint64_t>>;

// A source or a sink.
struct ServiceView {
  enum class State : std::uint8_t { good, warning, alarm, stale, busy };

  std::string name;  // of its part: "modbus/main-panel"
  bool is_source = false;
  std::string title, type;  // "MQTT publisher", "mqtt"
  std::string life;         // "running", "pausing"
  State state = State::good;
  std::string state_text, detail;  // "Connected", "12 waiting"
  Time since{};
  std::uint64_t restarts = 0;
  std::string error;  // empty: none

  // What has to succeed one after the other until something is delivered, and where it hangs.
  struct Step {
    enum class How : std::uint8_t { done, failed, open };
    std::string name;  // "resolve", "connect", "TLS", "log in", "acknowledged"
    How how = How::open;
    std::string note;
  };
  std::vector<Step> chain;
  std::vector<std::string> advice;  // what to look at, in this order
};

// Why a device is failing or offline.
enum class Trouble : std::uint8_t {
  none,
  no_bytes,
  bad_crc,
  exception,
  wrong_unit,
  busy_port,
  no_connection
};

struct DeviceView {
  enum class State : std::uint8_t { ok, slow, failing, offline, disabled, starting };
  static constexpr std::size_t kMinutes = 60;
  static constexpr std::uint8_t kNoPolls = 255;

  DeviceId id{};
  std::string name;     // "main-panel/meter-1"
  std::string service;  // of whom it is: "modbus/main-panel"
  std::string connection, connection_title, line, label, model, profile;
  std::optional<int> unit;
  State state = State::starting;
  Trouble trouble = Trouble::none;
  std::string condition;            // "answers in 41 ms"
  std::vector<std::string> advice;  // what to look at, in this order
  Time last_good{};                 // epoch: never
  std::string last_error;
  Time last_error_at{};
  std::optional<Duration> p50, p95;       // of its answers
  std::optional<double> success_percent;  // of the polls of the last 24 h
  std::optional<double> achieved_percent;
  Duration interval{}, timeout{};
  std::uint64_t polls = 0, failed = 0, overruns = 0, retries = 0;
  ErrorCounts errors;
  std::optional<Time> backoff_until;
  bool http = false, mqtt = false, gateway = false;  // who publishes it
  std::size_t points = 0;
  std::array<std::uint8_t, kMinutes> availability{};  // percent, oldest first; kNoPolls
};

struct LineView {
  std::string name, title, line;  // "modbus/main-panel", "Main panel", "serial /dev/ttyS0 9600 8N1"
  bool open = false;
  std::optional<double> busy_percent;  // over the last minute
  double planned_percent = 0;          // what the poll plan needs
  std::size_t devices = 0;
  std::uint64_t requests = 0, failed = 0, retries = 0, bytes_in = 0, bytes_out = 0;
  Duration wasted{};  // went to requests without an answer
  // 0 where the line has no bits to count: a network connection.
  std::chrono::nanoseconds character{}, silence{};
  ErrorCounts errors;
  std::string error;  // why it cannot be opened

  // One request of the poll plan. Only where the plan was asked for.
  struct Request {
    std::string device;
    int function = 3;
    std::uint16_t first = 0, count = 0;
    Duration interval{};
    Duration wire{};    // serial: of its characters and silences; network: the device's answer time
    Duration answer{};  // until the device begins to answer: measured, or taken for granted
    std::vector<std::string> points;
    std::string note;
  };
  std::vector<Request> plan;
};

struct PointView {
  PointId id{};
  std::string name, unit, type;
  std::optional<RegisterImage::Range> registers;
  Value value;
  ByteVector raw;  // as it came
  Reason reason = Reason::none;
  std::uint8_t code = 0;
  bool heard = false;  // something, good or bad, is known
  Duration age{};
  Time measured{};
  Duration interval{};
  std::string confidence;
  struct Writable {
    std::optional<double> least, most, step;
  };
  std::optional<Writable> writable;
  std::vector<double> recent;  // oldest first, NaN where there was none
};

struct PointsView {
  DeviceId device{};
  std::string name;  // of the device
  Time at{};
  std::vector<PointView> points;
};

struct View {
  Time at{};
  MonoTime mono{};
  std::string site, config_hash;
  Duration uptime{};
  bool ready = false;
  std::vector<std::string> late;  // what does not make progress
  std::vector<ServiceView> services;
  std::vector<LineView> lines;
  std::vector<DeviceView> devices;

  const DeviceView* device(std::string_view name) const;
  const LineView* line(std::string_view name) const;
};

std::string_view to_string(ServiceView::State state);  // "good"
std::string_view to_string(DeviceView::State state);   // "offline"
std::string_view to_string(Trouble trouble);           // "no_bytes"; "none"

// Who can show all that: the running parts, or a made-up site in a test. Field loop only.
class Viewed {
 public:
  virtual ~Viewed() = default;
  virtual void look(View& view) const = 0;
  // The poll plan of the lines; `view` has the lines already.
  virtual void look_at_plans(View& view) const = 0;
  // Nothing: there is no such device.
  virtual std::optional<PointsView> look_at_points(DeviceId device) const = 0;
  // A person wants the device polled now, whatever the pauses say. False: nobody polls it.
  virtual bool poll_now(DeviceId device) = 0;
};

}  // namespace lightship
