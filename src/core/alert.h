// Alerts: what a person should know, raised once and cleared once.
//
// The board knows what is raised now and tells who listens of each change. Rules raise alerts of
// points; the gateway itself raises those of its own (a full disk, an outbox that overflows). Field
// loop only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/value.h"
#include "core/point.h"

namespace lightship {

struct Alert {
  enum class Severity : std::uint8_t { info, warning, critical };
  enum class State : std::uint8_t { raised, acknowledged, cleared };

  std::string rule;   // "outbox-full", "disk-full", or the id of a rule of alerts.yaml
  std::string point;  // its full name, or which part of the gateway ("outbox"); empty: all of it
  std::optional<DeviceId> device;  // whose; nothing: the gateway itself
  Value value, threshold;
  Severity severity = Severity::warning;
  State state = State::raised;
  Time since{};      // raised at
  Time at{};         // of the newest change
  std::string text;  // for people: what it is and what to do
  // Whose it was in an earlier run, where the device is not known yet or not any more.
  struct Whose {
    std::string connection, client, type;
    friend bool operator==(const Whose&, const Whose&) = default;
  };
  std::optional<Whose> former{};
};

std::string_view to_string(Alert::Severity severity);
std::string_view to_string(Alert::State state);

class Alerts {
 public:
  explicit Alerts(const Clock& clock) : clock_(clock) {}

  // Raises it, or brings value, text and severity of a raised one up to date (told only when the
  // severity changes). `rule` and `point` are what it is known by.
  void raise(Alert alert);
  // Nothing when it is not raised.
  void clear(std::string_view rule, std::string_view point = {});
  bool acknowledge(std::string_view rule, std::string_view point = {});

  std::vector<Alert> active() const;  // in the order they were raised

  // One of an earlier run. It is no news, unless `told` is false; who raises it again does so
  // silently. A cleared one, of which it is not sure that it was told, is told once more.
  void remember(Alert alert, bool told);
  // Those of an earlier run that nobody has raised again are over: clears them, says how many.
  std::size_t clear_forgotten();

  // The program ends: what its parts clear when they go is not over, so nothing changes any more.
  void close() { closed_ = true; }

  // Changes since the last one that this reader was told of: the number to ask with next time, and
  // the changes, oldest first. At most the newest 1000 are kept. A reader begins with 0.
  std::pair<std::uint64_t, std::vector<Alert>> changes_since(std::uint64_t last) const;

  // The same for a reader that may not be able to take everything: `pass` gets each change behind
  // `mark`, which moves on behind each that was taken. False: one was not, it comes again.
  bool pass_on(std::uint64_t& mark, const std::function<bool(const Alert&)>& pass) const;

  // A reader that is there: what is told counts as passed on (see `passed`) only when its mark is
  // behind it too. Until the handle is dropped.
  class Following {
   public:
    Following() = default;
    Following(Alerts* of, std::list<std::shared_ptr<const std::uint64_t>>::iterator at)
        : of_(of), at_(at) {}
    Following(Following&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), at_(other.at_) {}
    Following& operator=(Following&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(at_, other.at_);
      return *this;
    }
    ~Following() {
      if (of_ != nullptr) of_->marks_.erase(at_);
    }

   private:
    Alerts* of_ = nullptr;
    std::list<std::shared_ptr<const std::uint64_t>>::iterator at_;
  };
  [[nodiscard]] Following follow(std::shared_ptr<const std::uint64_t> mark);
  // Up to this change every reader that is there has taken all; with no reader, all there are.
  std::uint64_t passed() const;

  // Called after each change until the handle is dropped.
  class Listening {
   public:
    Listening() = default;
    Listening(Alerts* of, std::uint64_t id) : of_(of), id_(id) {}
    Listening(Listening&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), id_(other.id_) {}
    Listening& operator=(Listening&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(id_, other.id_);
      return *this;
    }
    ~Listening() {
      if (of_ != nullptr) of_->listeners_.erase(id_);
    }

   private:
    Alerts* of_ = nullptr;
    std::uint64_t id_ = 0;
  };
  [[nodiscard]] Listening listen(std::function<void()> changed);

 private:
  using Key = std::pair<std::string, std::string>;
  void tell(const Alert& alert);

  const Clock& clock_;
  std::map<Key, std::pair<std::uint64_t, Alert>> raised_;  // with the number of its first change
  std::set<Key> remembered_;                               // of these, not raised in this run
  std::deque<Alert> changes_;
  std::uint64_t told_ = 0;                                 // changes so far
  std::list<std::shared_ptr<const std::uint64_t>> marks_;  // of those who follow
  std::map<std::uint64_t, std::function<void()>> listeners_;
  std::uint64_t last_listener_ = 0;
  bool closed_ = false;
};

}  // namespace lightship
