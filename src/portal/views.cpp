// Asks the field loop once for all who look.
#include "portal/views.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "core/catalog.h"

namespace lightship::portal {

using namespace std::chrono_literals;

namespace {

Error hangs() { return {Errc::unavailable, "the gateway's loop did not answer within 1 s", 0}; }

// A client alone names its device where only one connection has it.
Result<Views::Named> named(const Catalog& catalog, const std::string& device) {
  if (const auto id = catalog.find_device(device); id && !catalog.retired(*id))
    return Views::Named{*id, device};
  std::optional<Views::Named> found;
  for (const auto id : catalog.devices()) {
    const auto& info = catalog.info(id);
    if (info.client != device) continue;
    if (found)
      return fail(Errc::invalid, "'{}' is a device of several connections: {} and {}", device,
                  found->name, info.id());
    found = Views::Named{id, info.id()};
  }
  if (found) return *found;
  std::vector<std::string> known;
  for (const auto id : catalog.devices()) known.push_back(catalog.info(id).id());
  const auto near = nearest(device, known);
  return fail(Errc::invalid, "there is no device '{}'{}", start_of(device, 128),
              near ? fmt::format("; did you mean {}?", *near) : "");
}

// Ends the flight for those who wait, however the asking ends.
template <class Flight>
struct Lands {
  std::shared_ptr<Flight> flight;
  ~Lands() { flight->over.cancel(); }
};

}  // namespace

std::shared_ptr<const std::string> Picture::text(
    int which, const std::function<std::string(const View&)>& make) const {
  auto& known = texts_[which];
  if (!known) known = std::make_shared<const std::string>(make(view));
  return known;
}

Task<std::shared_ptr<const Picture>> Views::get(Duration max_age) {
  for (;;) {
    if (newest_ && clock_.mono() - newest_->taken <= max_age) co_return newest_;
    const auto under_way = flight_.lock();
    if (!under_way) break;
    boost::system::error_code woken;
    co_await under_way->over.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  const Lands<Flight> mine{std::make_shared<Flight>(co_await asio::this_coro::executor)};
  flight_ = mine.flight;
  auto seen = co_await field_.ask<std::shared_ptr<Picture>>([](Context& context) {
    auto picture = std::make_shared<Picture>();
    picture->view.at = context.clock.now();
    picture->view.mono = context.clock.mono();
    picture->view.site = context.device_id;
    context.viewed->look(picture->view);
    picture->view.late = context.progress.late();
    return picture;
  });
  flight_.reset();
  if (seen) {
    (*seen)->taken = clock_.mono();
    newest_ = std::move(*seen);
  } else if (newest_) {
    // Others need not wait for a loop that hangs; it is asked again when this is too old.
    auto old = std::make_shared<Picture>();
    old->view = newest_->view;
    old->hangs = true;
    old->taken = clock_.mono();
    newest_ = std::move(old);
  }
  co_return newest_;
}

Task<std::shared_ptr<const Picture>> Views::with_plans() {
  auto asking = plans_.get([this] {
    return field_.ask<Picture>([](Context& context) {
      Picture picture;
      auto& view = picture.view;
      view.at = context.clock.now();
      view.mono = context.clock.mono();
      view.site = context.device_id;
      context.viewed->look(view);
      context.viewed->look_at_plans(view);
      return picture;
    });
  });
  co_return co_await std::move(asking);
}

Task<Result<Views::Named>> Views::find(std::string device) {
  auto found = co_await field_.ask<Result<Named>>(
      [device](Context& context) { return named(context.catalog, device); });
  if (!found) co_return fail(hangs());
  co_return std::move(*found);
}

Task<Result<std::shared_ptr<const PointsView>>> Views::points(std::string device,
                                                              Duration max_age) {
  for (;;) {
    const auto known = watched_.find(device);
    if (known == watched_.end()) break;
    known->second.wanted = clock_.mono();
    if (known->second.newest && clock_.mono() - known->second.taken <= max_age)
      co_return known->second.newest;
    const auto under_way = known->second.flight.lock();
    if (!under_way) break;
    boost::system::error_code woken;
    co_await under_way->over.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  const Lands<Flight> mine{std::make_shared<Flight>(co_await asio::this_coro::executor)};
  if (const auto known = watched_.find(device); known != watched_.end())
    known->second.flight = mine.flight;
  using Seen = Result<PointsView>;
  auto seen = co_await field_.ask<Seen>([device](Context& context) -> Seen {
    const auto which = named(context.catalog, device);
    if (!which) return fail(which.error());
    auto view = context.viewed->look_at_points(which->id);
    if (!view) return fail(Errc::invalid, "there is no device '{}'", device);
    return std::move(*view);
  });
  if (!seen) co_return fail(hangs());
  if (!*seen) {
    watched_.erase(device);
    co_return fail(seen->error());
  }
  if (!watched_.contains(device)) forget();
  if (!watched_.contains(device) && watched_.size() >= kMostWatched)
    co_return std::make_shared<const PointsView>(std::move(**seen));
  auto& watched = watched_[device];
  watched.taken = watched.wanted = clock_.mono();
  remember(watched, **seen);
  watched.newest = std::make_shared<const PointsView>(std::move(**seen));
  co_return watched.newest;
}

// One value a second of each point, as long as somebody looks; none for a second when nobody did.
void Views::remember(Watched& watched, PointsView& view) {
  const auto now = clock_.mono();
  std::vector<PointId> points;
  for (const auto& point : view.points) points.push_back(point.id);
  if (points != watched.points) {
    watched.points = std::move(points);
    watched.recent.assign(view.points.size(), {});
  }
  // Nobody looked for a while: what is shown as the last minute is that, with a gap in it.
  const auto missed = watched.noted == MonoTime{} ? 0 : (now - watched.noted) / 1s - 1;
  if (missed >= static_cast<std::int64_t>(kRecent)) {
    watched.recent.assign(view.points.size(), {});
  } else if (missed > 0) {
    for (auto& recent : watched.recent)
      recent.insert(recent.end(), static_cast<std::size_t>(missed), std::nan(""));
  }
  const bool due = watched.noted == MonoTime{} || now - watched.noted >= 1s - 50ms;
  for (std::size_t at = 0; at < view.points.size(); ++at) {
    auto& recent = watched.recent[at];
    const auto& point = view.points[at];
    if (due) {
      recent.push_back(point.reason == Reason::none && point.heard ? as_double(point.value)
                                                                   : std::nan(""));
      if (recent.size() > kRecent)
        recent.erase(recent.begin(), recent.end() - static_cast<std::ptrdiff_t>(kRecent));
    }
    view.points[at].recent = recent;
  }
  if (due) watched.noted = now;
}

void Views::forget() {
  const auto now = clock_.mono();
  std::erase_if(watched_,
                [&](const auto& entry) { return now - entry.second.wanted > kRemembered; });
}

Task<Result<bool>> Views::poll_now(DeviceId device) {
  const auto done = co_await field_.ask<bool>(
      [device](Context& context) { return context.viewed->poll_now(device); });
  if (!done) co_return fail(hangs());
  co_return *done;
}

}  // namespace lightship::portal
