// One topic that is watched: what was told of it last, and the newest deltas as finished texts.
//
// Pure but for its provider, which the hub asks. seq starts at the milliseconds of the wall clock,
// so that a client that comes back after a restart of the program is never taken to know what this
// topic has said.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "portal/live/hub.h"

namespace lightship::portal {

struct LiveClient;

using Text = std::shared_ptr<const std::string>;

class LiveTopic {
 public:
  LiveTopic(std::string name, Time now) : name_(std::move(name)), seq_(first_seq(now)) {}

  const std::string& name() const { return name_; }
  std::uint64_t seq() const { return seq_; }
  bool knows() const { return knows_; }  // there is something to tell

  // What is true now. `mono` is for how often large snapshots are told again. True when something
  // was added that clients should be given.
  bool tell(boost::json::value present, MonoTime mono);
  // What has come since, of which the newest `first` are kept for snapshots.
  bool tell_more(boost::json::array more, std::size_t first, std::size_t keep);
  // Says nothing new: an empty delta, so that clients see that an error is over.
  void tell_again();

  // The frame for one who was told up to `told`: the next delta, or a snapshot where that is not
  // known (any more). `after` is what he knows then. Only when he is behind.
  struct Next {
    Text text;
    std::uint64_t after;
    std::uint64_t skipped;  // deltas that he will not see
    bool snapshot;
  };
  bool behind(const std::optional<std::uint64_t>& told) const { return !told || *told != seq_; }
  Next next(const std::optional<std::uint64_t>& told);

  static std::uint64_t first_seq(Time now);

 private:
  static constexpr std::size_t kMostDeltas = 32;
  static constexpr std::size_t kMostBytes = 64 * 1024;
  // What cannot be said by a patch is said by a snapshot, of a large topic at most so many bytes a
  // second: a site of 500 devices of which one recovers each second must not cost half a megabyte
  // a second. Until then the members that have become null keep what they had.
  static constexpr double kWholeBytesPerSecond = 64 * 1024;

  void add_delta(const boost::json::value& patch);
  void start_over();

  std::string name_;
  std::uint64_t seq_;
  bool knows_ = false;
  boost::json::value told_;         // of a state
  std::deque<std::string> recent_;  // of what grows: the items as text
  bool grows_ = false;
  std::deque<Text> deltas_;  // the last of them made seq_
  std::size_t delta_bytes_ = 0;
  Text snapshot_;                // of seq_; nothing: to be made when someone needs it
  std::size_t whole_bytes_ = 0;  // of the newest snapshot
  MonoTime whole_again_{};       // not before this
};

// The frame {"type":"error","topic":...,"problem":{...}}; no topic: of the feed itself.
Text error_frame(std::string_view topic, int status, std::string_view title,
                 std::string_view detail);
Text pong_frame(std::int64_t ping);

}  // namespace lightship::portal
