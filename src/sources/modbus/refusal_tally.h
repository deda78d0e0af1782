// Which refused writes have a line of their own in the audit, and how many others there were.
//
// A client that is refused all day must not push the writes out of the audit that bound further
// ones. So a point (or a device, for writes in registers) that is refused for the same reason again
// and again has a few lines, and then one a minute that counts the others; and all of a gateway
// together have Audit::kRefusalsAtOnce and one each Audit::kRefusalEach. Field loop only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "core/audit.h"
#include "sources/modbus/write_story.h"

namespace lightship::poller {

class RefusalTally {
 public:
  struct Counted {
    explicit Counted(std::string of_device = {}, std::string of_point = {})
        : device(std::move(of_device)), point(std::move(of_point)) {}
    std::string device, point;  // point: empty for writes in registers, and for what has no room
    std::uint64_t untold = 0;
    Time since{};           // the first of them
    std::string by, error;  // the newest
    LineBudget lines{kAtOnce, kEach};
  };

  // False: it is counted. True: tell it, and with it what was counted before (`story.untold`).
  bool may_tell(WriteStory& story, const Error& why, LineBudget& all, Time now, MonoTime mono);

  // Something is counted that no line has told yet.
  bool owes() const;
  // The next that may be told now, with its count, which is then told; nothing: none.
  std::optional<Counted> next(LineBudget& all, MonoTime mono);

  static constexpr unsigned kAtOnce = 3;
  static constexpr Duration kEach = std::chrono::minutes(1);
  // Points times reasons; further ones are counted together.
  static constexpr std::size_t kMost = 1000;

 private:
  using Key = std::tuple<std::string, std::string, Errc, int>;
  std::map<Key, Counted> counted_;
};

// The line of what was counted.
void tell(JsonWriter& json, const RefusalTally::Counted& counted);

}  // namespace lightship::poller
