// Declares the keys of communication.history.
#include "sinks/history/config.h"

namespace lightship::history {

using namespace std::chrono_literals;

void describe(config::Fields& f, HistoryConfig& c) {
  f.value("enabled", c.enabled, "keep a history of all points in the data directory");
  f.choice("store", c.store, {{"all", Store::all}, {"on_change", Store::on_change}},
           "which raw values: every one, or those that have moved; roll-ups see every one");
  f.value("deadband", c.deadband, "how far a value must move, in its unit, to be stored on change")
      .at_least(0);
  f.value("at_least_every", c.at_least_every, "with on_change: but as often as this")
      .between(1s, 24h);
  f.value("raw", c.raw, "how long raw values are kept; 0: none are stored").at_least(0);
  f.value("minute", c.minute, "how long roll-ups of a minute are kept").at_least(1h);
  f.value("hour", c.hour, "how long roll-ups of an hour are kept").at_least(1h);
  f.value("day", c.day, "how long roll-ups of a day are kept").at_least(24h);
  f.value("max_size", c.max_size,
          "what the file may hold; past it the oldest of the finest go first")
      .raised_to(config::ByteSize{16'000'000}, c.max_size);
  f.value("commit_every", c.commit_every,
          "time between two writes; a power cut loses at most so much")
      .between(100ms, 1h);
  f.value("write_budget", c.write_budget,
          "bytes written in a day (UTC) after which raw values are thinned out; 0: no limit");
}

}  // namespace lightship::history
