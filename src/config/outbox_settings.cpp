// Declares the keys of the outbox.
#include "config/outbox_settings.h"

namespace lightship::config {

void describe(Fields& f, OutboxSettings& c) {
  f.value("max_size", c.max_size,
          "what may wait for acknowledgement, over all sinks; past it see overflow")
      .raised_to(ByteSize{16'000'000}, c.max_size);
  f.choice("overflow", c.overflow,
           {{"drop_oldest", OutboxSettings::Overflow::drop_oldest},
            {"thin", OutboxSettings::Overflow::thin}},
           "drop_oldest: the oldest measurements go; thin: first every second one of the older "
           "half of each device");
  f.value("commit_every", c.commit_every,
          "shortest time between two writes to the disk; what comes meanwhile goes in one")
      .between(std::chrono::milliseconds(1), std::chrono::seconds(10));
}

}  // namespace lightship::config
