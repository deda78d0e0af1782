// One device on a line: what is read of it, what was learned of it, and how it is doing.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "codec/modbus/plain_value.h"
#include "core/context.h"
#include "core/event.h"
#include "core/latency_histogram.h"
#include "core/poll_record.h"
#include "core/view.h"
#include "sources/modbus/answer_time.h"
#include "sources/modbus/conversation.h"
#include "sources/modbus/device_counters.h"
#include "sources/modbus/device_memory.h"
#include "sources/modbus/device_setup.h"
#include "sources/modbus/fair_share.h"
#include "sources/modbus/pause_learner.h"
#include "sources/modbus/poll_groups.h"
#include "sources/modbus/probe_budget.h"
#include "sources/modbus/sunspec.h"

namespace lightship::poller {

class Device {
 public:
  // What the line allows. `alone`: nobody else waits while this one is waited for.
  struct Line {
    Duration timeout = std::chrono::seconds(3);
    unsigned retries = 3;
    bool alone = true;
    std::size_t devices = 1;
    std::shared_ptr<ProbeBudget> probes = std::make_shared<ProbeBudget>();
  };

  struct Group {
    PollGroup of;
    Schedule schedule;
    bool owed = false;      // was told as silent: to be read as soon as the device answers
    MonoTime begun{};       // the newest poll ...
    Duration pace{};        // ... and the smoothed time between two
    std::size_t asked = 0;  // requests of the newest poll
    bool wanted = false;    // by a person, beside the grid
    asio::steady_timer* bell = nullptr;  // of whoever waits for the next poll
  };

  // A poll of one group under way.
  struct Poll {
    Group* group = nullptr;
    std::shared_ptr<const std::vector<Block>> blocks;
    Readings readings;
    std::vector<int> data;  // of each block: its place in readings.blocks, or -1
    bool answered = false;
    bool probe = false;   // the device was silent before
    bool walks = false;   // asks first where the models are
    unsigned points = 0;  // the device's points_are_ when the poll took its plan
    MonoTime first_asked = MonoTime::max();
    std::vector<std::size_t> refused;   // blocks with exception 2 or 3
    std::optional<std::size_t> silent;  // the block that ended the poll, where others answered
  };

  Device(DeviceSetup setup, Line line, Context& context, std::shared_ptr<LearnedStore> store,
         Duration phase);

  const DeviceInfo& info() const { return setup_.info; }
  const DeviceSetup& setup() const { return setup_; }
  DeviceId id() const { return id_; }
  std::deque<Group>& groups() { return groups_; }
  DeviceMemory& memory() { return memory_; }
  DeviceCounters& counters() { return count_; }
  FairShare& share() { return share_; }

  // When the group is to be polled. A silent device is probed by one poll at a time, whichever
  // group is first; never: MonoTime::max().
  MonoTime wake_at(const Group& group) const;
  void nudge();                  // a person wants it now: probes, and tries again what was refused
  void line_is_back();           // a new connection: who could not be reached is probed at once
  void others(bool any_online);  // on the same line

  // How often a request is tried, and how long the answer to try number `attempt` (from 0) is
  // waited for: learned from the answers so far, doubled with each try, never above the configured
  // time-out. A silent device is probed once, and briefly where others wait for the line.
  unsigned tries() const;
  Duration patience(unsigned attempt) const;
  Duration pause() const { return pause_.pause(); }
  Duration pause_of_retry() const { return pause_.pause_of_retry(); }

  // One request is over; it began `quiet` after other traffic and held the line for `held`.
  void hear(const modbus::Request& request, const Result<ByteVector>& answer, const Tally& tally,
            Duration quiet, Duration held);

  // One poll: begin, a result for each block that is asked, finish.
  Poll begin_poll(Group& group);
  void restart(Poll& poll);  // with the newest plan
  // The device's points stand elsewhere than when the poll took its plan: its answers mean nothing.
  bool is_outdated(const Poll& poll) const { return poll.points != points_are_; }
  void take(Poll& poll, std::size_t block, const Result<ByteVector>& answer, MonoTime arrived);
  // The small read that a silent device is probed with; nothing where a block is as small.
  std::optional<PlanPoint> probe_read(const Poll& poll) const;
  Readings finish_poll(Poll& poll, Time now, MonoTime mono);
  void unreachable(const Error& why);  // the line itself is not there: every block fails

  // Whether a block that stays silent while others are answered deserves a search for the reason.
  bool is_suspect(const Poll& poll);
  std::vector<PlanPoint> points_of(const PollGroup& group, const Block& block) const;

  // A SunSpec device is asked where its models are when it is first reached, and again after it
  // was away for long: until then its points stand nowhere.
  bool is_walked() const { return is_walked_; }
  bool wants_walk() const;
  // On a new connection it may be another device, or have new firmware: the heads of the models
  // that are read are looked at. One that hangs up all the time is looked at once in a while.
  bool wants_look() const;
  const std::vector<SunspecChain::Model>& models() const { return models_; }
  enum class Look { same, other, unknown };
  // It answers with exceptions that say nothing of where its models are: it is asked again at the
  // next poll. True once it has done that for so long that it is no device that just starts.
  bool is_unclear_for_long();
  void looked(Look what);  // other: its points stand nowhere until it is walked
  // A device without fitting models is asked only whether it is there, with this read.
  PlanPoint walk_probe() const;
  void no_models(Poll& poll);  // it answers, but its points are nowhere
  void walked(const Result<std::vector<DevicePoint>>& points, const SunspecChain& chain = {});

  std::uint16_t longest_good(Space space) const { return longest_good_[is_bits(space)]; }
  void replan();

  bool polled() const { return polled_; }  // at least once since start
  bool online() const { return online_; }
  bool is_silent() const { return silent_polls_ > 0; }
  // Nothing: it may be asked. Otherwise why a request for others is not even sent: the device is
  // silent, its probe is not yet due, and others wait for the line.
  std::optional<Error> not_worth_asking() const;
  // For people: "answers in 41 ms", "no bytes at all: look at wiring, power and unit_id".
  std::string condition() const;
  double achieved() const;  // polls, as a part of those configured
  void describe_status(JsonWriter& json, const Clock& clock) const;
  void look(DeviceView& view, bool serial) const;  // device_view.cpp; the line knows the rest
  void look_at_points(PointsView& view) const;
  // Its requests as they are made now, without the time on the wire.
  void look_at_plan(const std::function<void(const Block&, LineView::Request)>& take) const;
  void poll_now();
  Duration typical_answer() const {
    return answer_time_.known() ? answer_time_.typical() : Duration{};
  }

 private:
  Duration probe_patience() const;
  MonoTime own_probe_due() const;
  MonoTime probe_due() const;
  bool shares_probes() const { return !line_.alone && others_online_ && silent_polls_ > 1; }
  void read_block(Poll& poll, const Block& block, Bytes data) const;
  Reading read_point(const Poll& poll, std::size_t place, const Block& block, Bytes data) const;
  void read_powers(const Poll& poll);
  void fell_silent(Poll& poll, MonoTime now);
  void describe_polling(JsonWriter& json) const;
  double achieved_per_minute(const Group& group) const;
  Trouble trouble() const;
  bool is_failing() const;
  void enter_points();

  DeviceSetup setup_;
  Line line_;
  Context& context_;
  DeviceId id_{};
  std::vector<PointId> point_ids_;
  // Of each point: where it stands and how it is read, as long as that is all there is to know.
  struct Plain {
    modbus::PlainValue value;
    std::uint16_t address = 0;
  };
  std::vector<Plain> plain_;
  std::vector<int> scale_points_;  // of each point: the one with its power of ten, or -1
  std::vector<bool> is_power_;     // a point that is such a power ...
  bool has_powers_ = false;
  std::vector<std::optional<std::int16_t>> powers_;  // ... as last read
  std::deque<Group> groups_;
  DeviceCounters count_;
  DeviceMemory memory_;
  PauseLearner pause_;
  FairShare share_;

  AnswerTime answer_time_;
  std::uint16_t longest_good_[2]{};  // registers, bits: since the device was last silent
  std::vector<std::pair<std::uint32_t, unsigned>> suspects_;  // blocks, and how often in a row
  bool is_walked_ = false;
  unsigned points_are_ = 0;                  // counts the walks that said where the points stand
  bool walking_ = false;                     // by the poll of one group; the others wait
  MonoTime walk_due_{};                      // not before, after it was found to be no such device
  std::vector<SunspecChain::Model> models_;  // with points that are read
  bool look_wanted_ = false;                 // the connection is a new one
  MonoTime look_due_{};
  std::optional<MonoTime> unclear_since_;
  std::optional<Error> walk_failed_;
  bool online_ = false, polled_ = false;
  bool reachable_ = true;      // the line was open when the device was last to be asked
  unsigned silent_polls_ = 0;  // polls in a row without any answer
  unsigned trust_ = ~0u;       // polls since it was last silent
  bool probing_ = false, patient_ = false;
  MonoTime probe_begun_{}, probe_ended_{};  // the newest poll without an answer
  bool wanted_now_ = false;                 // by a person
  bool others_online_ = false;
  Error last_error_;
  Time last_error_at_{}, last_answer_at_{};
  Duration last_poll_{};
  modbus::Rejects recent_;  // heard beside the answers in the poll under way ...
  modbus::Rejects heard_;   // ... and in the newest that has ended
  LatencyHistogram latency_;
  PollRecord record_;
};

// The reason a point is given for this failure.
Reason reason_of(const Error& error);
// Exceptions 10 and 11 come from a gateway in between: nothing was heard of the device.
bool is_from_gateway(const Error& error);

}  // namespace lightship::poller
