// One device on a line: what is read of it, what was learned of it, and how it is doing.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "codec/modbus/decode_value.h"
#include "core/context.h"
#include "core/event.h"
#include "sources/modbus/config.h"
#include "sources/modbus/conversation.h"
#include "sources/modbus/plan.h"
#include "sources/modbus/schedule.h"
#include "sources/modbus/sunspec.h"

namespace lightship::poller {

// A point with all that is needed to read and decode it.
struct DevicePoint {
  std::string name, unit;
  PlanPoint where;
  modbus::PointSpec spec;
  std::string scale_register;              // name of the point that holds the power of ten
  std::vector<SunspecPlace> sunspec = {};  // where it stands in the models of a SunSpec device
  // Nothing for the many points that say nothing of writing.
  std::shared_ptr<const WriteRule> write = nullptr;

  const WriteRule& rule() const {
    static const WriteRule kNone;
    return write ? *write : kNone;
  }
};

// What the configuration says of a device, worked out: the input of plan, catalog and poller.
struct DeviceSetup {
  DeviceInfo info;
  std::vector<DevicePoint> points;
  PlanLimits limits;
  Duration pause{};
  unsigned in_flight = 1;
  int answers_as = -1;
  std::vector<std::uint16_t> sunspec_bases = {};              // where its chain of models may begin
  bool is_sunspec() const { return !sunspec_bases.empty(); }  // points are resolved: sunspec.h
  bool allow_write = false;
  unsigned max_writes_per_minute = 0;  // 0: no limit
};

class Device {
 public:
  // `alone`: nobody else waits while this one is waited for.
  Device(DeviceSetup setup, Duration timeout, unsigned retries, bool alone, Context& context,
         Duration phase);

  const DeviceInfo& info() const { return setup_.info; }
  const DeviceSetup& setup() const { return setup_; }
  DeviceId id() const { return id_; }
  const std::vector<Block>& blocks() const { return blocks_; }
  Schedule& schedule() { return schedule_; }

  // How often a request is tried, and how long the answer to try number `attempt` (from 0) is
  // waited for: learned from the answers so far, doubled with each try, never above the configured
  // time-out. A silent device is probed once, and briefly where others wait for the line.
  unsigned tries() const { return silent_polls_ > 0 ? 1 : 1 + retries_; }
  Duration patience(unsigned attempt) const;

  void learn(const Result<ByteVector>& answer, const Tally& tally);
  void retried() { ++*count_.retries; }

  // The gaps of joined blocks hold something the device refuses: plan without them. False when it
  // is planned so already.
  bool give_up_gaps();

  // One poll: begin, a result for each block, finish.
  void begin_poll();
  void take(std::size_t block, const Result<ByteVector>& answer, MonoTime arrived);
  void asked(MonoTime when) {
    first_asked_ = std::min(first_asked_, when);
  }  // waiting for the line is no part of a poll
  Readings finish_poll(Time now, MonoTime mono);
  void unreachable(const Error& why);  // the line itself is not there: every block fails

  void overrun(std::uint64_t times) { *count_.overruns += times; }

  bool polled() const { return polled_; }  // at least once since start
  bool online() const { return online_; }
  std::string condition()
      const;  // for people: "answers in 41 ms", "no bytes at all: check wiring, power and unit"
  void describe_status(JsonWriter& json, const Clock& clock) const;

 private:
  struct Counters {
    Counter *polls, *failed, *requests, *retries, *overruns, *late;
    Counter *timeout, *crc, *exception, *length, *foreign, *noise_bytes, *echo, *unreachable;
  };
  void replan();
  Reading read_point(std::size_t point, const Block& block, Bytes data) const;

  DeviceSetup setup_;
  Context& context_;
  DeviceId id_{};
  std::vector<PointId> point_ids_;
  std::vector<int> scale_points_;  // index of the point with the power of ten, or -1
  std::vector<Block> blocks_;
  Schedule schedule_;
  Duration timeout_;
  unsigned retries_;
  bool alone_;
  Counters count_{};

  Duration typical_{}, slowest_{};  // answer times: smoothed, and a maximum that fades
  bool ever_answered_ = false;
  bool online_ = false, polled_ = false;
  bool reachable_ = true;      // the line was open when the device was last to be asked
  unsigned silent_polls_ = 0;  // polls in a row without any answer
  Error last_error_;
  Time last_error_at_{}, last_answer_at_{};
  Duration last_poll_{};
  modbus::Rejects recent_;  // heard beside the answers in the newest poll

  Readings poll_;
  std::vector<std::optional<ByteVector>> poll_data_;
  bool poll_answered_ = false;
  MonoTime first_asked_{};
};

// The reason a point is given for this failure.
Reason reason_of(const Error& error);

}  // namespace lightship::poller
