// Pictures of the field for all who look: taken on the field loop at most once in `max_age`,
// however many ask, and shared.
//
// While the field loop hangs the last picture is given again and says so. The points of a device
// that somebody watches are remembered for a minute here: the field loop keeps no more of them than
// their present. Portal loop only.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "core/view.h"
#include "portal/field.h"
#include "portal/shared_answer.h"

namespace lightship::portal {

// One look, and the texts that are made of it once for everybody.
struct Picture {
  View view;
  MonoTime taken{};
  bool hangs = false;  // the field loop does not answer: this is what it said before

  // Made at the first call and kept with the picture.
  std::shared_ptr<const std::string> text(
      int which, const std::function<std::string(const View&)>& make) const;

 private:
  mutable std::map<int, std::shared_ptr<const std::string>> texts_;
};

class Views {
 public:
  static constexpr Duration kFresh = std::chrono::milliseconds(250);
  // A device that nobody has looked at for so long is remembered no more.
  static constexpr Duration kRemembered = std::chrono::minutes(2);
  static constexpr std::size_t kRecent = 60;  // of each point, one a second
  static constexpr std::size_t kMostWatched = 64;

  // The field's context must have something `viewed`.
  Views(Field& field, Clock& clock) : field_(field), clock_(clock) {}

  static constexpr Duration kPlansFresh = std::chrono::seconds(1);

  Clock& clock() const { return clock_; }

  // Not older than `max_age`. Nothing: the field loop hangs since before the first picture.
  Task<std::shared_ptr<const Picture>> get(Duration max_age = kFresh);
  // The same with the poll plan of each line, not older than `kPlansFresh`. Nothing: the field loop
  // hangs.
  Task<std::shared_ptr<const Picture>> with_plans();
  // `device` is an id, or a client alone where only one connection has it. Errc::invalid: there is
  // none; unavailable: the field loop hangs.
  Task<Result<std::shared_ptr<const PointsView>>> points(std::string device,
                                                         Duration max_age = kFresh);
  // The number of the device and its full id, by the same rule.
  struct Named {
    DeviceId id{};
    std::string name;
  };
  Task<Result<Named>> find(std::string device);
  Task<Result<bool>> poll_now(DeviceId device);

 private:
  // Whoever asks first goes; the others wait for him, and go themselves when he was stopped.
  struct Flight {
    explicit Flight(const asio::any_io_executor& on) : over(on, MonoTime::max()) {}
    asio::steady_timer over;
  };
  struct Watched {
    std::shared_ptr<const PointsView> newest;
    MonoTime taken{}, wanted{}, noted{};
    std::vector<std::vector<double>> recent;  // by point
    std::vector<PointId> points;
    std::weak_ptr<Flight> flight;
  };
  void remember(Watched& watched, PointsView& view);
  void forget();

  Field& field_;
  Clock& clock_;
  std::shared_ptr<const Picture> newest_;
  std::weak_ptr<Flight> flight_;
  SharedAnswer<Picture> plans_{clock_, kPlansFresh};
  std::map<std::string, Watched, std::less<>> watched_;
};

}  // namespace lightship::portal
