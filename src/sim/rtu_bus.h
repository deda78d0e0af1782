// A simulated RS-485 line: a pseudo terminal, and devices that answer at the pace of a real wire.
//
// A pseudo terminal delivers at once, so the time is made here. What was written counts as arriving
// character by character; then comes t3.5, then the device's own time T, then its answer at the
// line's rate, the last character exactly when its last bit would be there. Everything runs on a
// thread of its own, which sleeps between characters. Modbus over Serial Line V1.02, 2.5;
// docs/modbus.md, what a poll costs.
#pragma once

#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "codec/modbus/request_scanner.h"
#include "codec/modbus/server.h"
#include "link/serial_settings.h"
#include "sim/pty.h"
#include "sim/punctual.h"

namespace lightship::sim {

// What a device does wrong. They add up.
struct Faults {
  bool silent = false;
  std::chrono::nanoseconds delay{};            // beyond its own time
  unsigned bad_crc_every = 0;                  // each n-th answer is damaged
  std::optional<modbus::Exception> refusal{};  // instead of data
  ByteVector noise{};                          // on the line right before the answer
};

struct RtuDevice {
  std::uint8_t unit = 1;
  std::shared_ptr<modbus::DataMap> map;  // asked on the line's thread only
  std::chrono::nanoseconds answer_time = std::chrono::milliseconds(5);
  Faults faults{};
};

// One answered request, as it was on the wire.
struct Exchange {
  std::uint8_t unit;
  MonoTime asked;        // the first bit of the request
  MonoTime request_end;  // its last bit
  MonoTime answer_end;   // the last character of the answer was handed over
  std::chrono::nanoseconds
      answer_time;                // T: from t3.5 after the request to the first bit of the answer
  std::chrono::nanoseconds late;  // of the last character: the simulator's fault, no one else's
};

struct LineTally {
  std::uint64_t requests = 0;  // with a good check
  std::uint64_t answers = 0;
  std::uint64_t foreign = 0;     // to units that are not on the line
  std::uint64_t hurried = 0;     // that began before the line had been silent for t3.5
  std::uint64_t collisions = 0;  // that came while a device was about to answer or answering: lost
  std::uint64_t bad_crc = 0;     // requests that were damaged
};

class RtuBus {
 public:
  struct Settings {
    link::SerialSettings line;      // the rate and form; its device is not looked at
    std::filesystem::path link_as;  // a stable name for the port
    bool real_time = false;         // see become_punctual
    std::function<void(const Exchange&)> on_exchange;  // called on the line's thread
  };

  static Result<std::unique_ptr<RtuBus>> start(Settings settings, std::vector<RtuDevice> devices);
  ~RtuBus();  // the port hangs up
  RtuBus(const RtuBus&) = delete;
  RtuBus& operator=(const RtuBus&) = delete;

  const std::string& device() const { return pty_.device(); }  // what a program opens
  void set_faults(std::uint8_t unit, Faults faults);
  LineTally tally() const;

 private:
  struct Request {
    std::uint8_t unit;
    ByteVector pdu;
  };

  RtuBus(Settings settings, Pty pty, std::vector<RtuDevice> devices);
  void run();
  std::optional<Request> hear();  // nothing: called off
  bool answer(const Request& request);
  bool say(Bytes bytes, MonoTime from);
  RtuDevice* find(std::uint8_t unit);

  Settings settings_;
  Pty pty_;
  std::chrono::nanoseconds character_, silence_;
  Alarm alarm_;

  modbus::rtu::RequestScanner scanner_;
  bool hearing_ = false;   // a request has begun
  MonoTime asked_{};       // and this is when
  MonoTime busy_until_{};  // the last bit that anybody has sent
  std::map<std::uint8_t, std::uint64_t> answered_;

  mutable std::mutex mutex_;  // guards what follows
  std::vector<RtuDevice> devices_;
  LineTally tally_;

  std::thread thread_;
};

}  // namespace lightship::sim
