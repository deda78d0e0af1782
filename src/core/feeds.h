// Feeds: which devices a sink sends, and when each of them is due.
//
// A device is due at its own interval, for the first time as soon as there is news of it, and where
// it is sent on change also at once when a value has moved by more than the dead band. Field loop
// only.
#pragma once

#include <functional>
#include <vector>

#include "core/cache.h"
#include "core/catalog.h"

namespace lightship {

class Feeds {
 public:
  // How a device is published by this sink; nullptr: it is not.
  using Choose = std::function<const Publishing*(const DeviceInfo&)>;

  Feeds(const Catalog& catalog, Cache& cache, const Clock& clock, Choose choose)
      : catalog_(catalog), cache_(cache), clock_(clock), choose_(std::move(choose)) {}

  // What the catalog says now; a feed that is known already goes on.
  void refresh();

  // There is news of the device. True when it is due now because of it.
  bool heard(DeviceId device);

  // Hands over each device that is due, with its interval, and says when the next will be
  // (MonoTime::max: never). A device that was late is handed over once, and keeps its rhythm.
  MonoTime serve(const std::function<void(DeviceId, Duration interval)>& make);

  std::size_t size() const { return feeds_.size(); }

 private:
  struct Feed {
    DeviceId device{};
    Publishing how;
    MonoTime due = MonoTime::max();
    bool told = false;        // there was news of the device
    std::vector<Value> sent;  // its values when it was due last, for sending on change
  };
  bool moved(const Feed& feed) const;
  std::vector<Value> values(DeviceId device) const;

  const Catalog& catalog_;
  Cache& cache_;
  const Clock& clock_;
  Choose choose_;
  std::vector<Feed> feeds_;
};

}  // namespace lightship
