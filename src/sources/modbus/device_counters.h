// The counters of one device: polls, requests, and each kind of what went wrong. docs/modbus.md
// says what each tells about the wiring.
#pragma once

#include <map>
#include <string>

#include "base/json_writer.h"
#include "core/metrics.h"
#include "core/view.h"
#include "sources/modbus/conversation.h"

namespace lightship::poller {

class DeviceCounters {
 public:
  DeviceCounters(Metrics& metrics, std::string device);

  void count(const Result<ByteVector>& answer, const Tally& tally);

  // What went wrong, by kind: only what has happened.
  void errors(ErrorCounts& to) const;

  // Members of the device's object: polls ... failures {...} exceptions {...}.
  void describe(JsonWriter& json) const;

  Counter *polls, *failed, *requests, *retries, *overruns;
  Counter* probes;  // polls of a device that was silent
  Counter* wasted;  // microseconds of the line's time that went to requests without an answer

 private:
  Counter& exception(int code);

  Metrics& metrics_;
  std::string device_;
  Counter *late_, *foreign_, *noise_bytes_, *echo_;
  Counter *timeout_, *crc_, *exception_, *length_, *unreachable_;
  std::map<int, Counter*> by_code_;
};

}  // namespace lightship::poller
