// What one device has learned: its own, beside the memory of its model which it shares.
//
// Holes between points and limits are taken over from the model at once: they cost nothing. A point
// that another device of the model refused is asked of this one first. What is refused is tried
// again with growing distance, and at once when a person asks.
#pragma once

#include "base/json_writer.h"
#include "sources/modbus/device_setup.h"
#include "sources/modbus/learned_store.h"

namespace lightship::poller {

class DeviceMemory {
 public:
  DeviceMemory(const DeviceSetup& setup, std::shared_ptr<LearnedStore> store, const Clock& clock);

  void points_are(const std::vector<DevicePoint>& points);
  bool learns() const { return learns_; }
  bool learns_limits() const { return learns_ && !limit_given_; }
  const std::vector<Hole>& holes() const { return holes_; }
  void narrow(PlanLimits& limits) const;  // to what the device gives
  Duration pause() const { return pause_given_ || !learns_ ? given_pause_ : model_->learned.pause; }

  // True once after another device of the model has learned something that matters here.
  bool has_news();

  // Whether it is worth finding out why this block is refused: no other device of the model is at
  // it, and it was not tried in vain lately.
  bool may_search(const Block& block, MonoTime now) const;
  void searched_in_vain(const Block& block, MonoTime now);
  // Held as long as the search takes.
  class Search {
   public:
    explicit Search(std::shared_ptr<ModelMemory> model) : model_(std::move(model)) {
      model_->searching = true;
    }
    Search(const Search&) = delete;
    Search& operator=(const Search&) = delete;
    ~Search() { model_->searching = false; }

   private:
    std::shared_ptr<ModelMemory> model_;
  };
  Search search() const { return Search(model_); }

  // False: the table is full, and nothing more is looked for until there is room.
  bool found(Hole hole);
  // True once each time the table has become full.
  bool became_full() { return std::exchange(tell_full_, false); }
  void limit_is(Space space, std::uint16_t most);
  void pause_is(Duration pause);

  // The hole that is to be tried again now, and what to read. Nothing: none.
  struct Retry {
    Hole hole;
    PlanPoint read;
  };
  // Nobody else is told to try that hole for as long as a try takes.
  std::optional<Retry> retry(MonoTime now);
  // The hole may be gone meanwhile: then nothing happens.
  void retried(const Hole& hole, bool served, MonoTime now);
  // A read that is longer than a learned limit, to see whether it still holds; nobody else is told
  // to try that limit for as long as a try takes. True: it does not, and is forgotten.
  std::optional<PlanPoint> longer_read(MonoTime now);
  bool longer_read_done(Space space, bool served, MonoTime now);
  std::optional<std::uint16_t> limit(Space space) const { return limit_[is_bits(space)]; }
  void try_again_now();

  void describe(JsonWriter& json, Duration pause) const;

 private:
  struct Distance {
    MonoTime due{};
    unsigned tries = 0;
  };
  void take_over(bool at_start);
  void join_neighbours();
  void confirmed();
  void tell_model(std::string why);
  std::optional<PlanPoint> read_over(const Hole& hole) const;

  std::vector<PlanPoint> points_;  // of the device, by place
  bool learns_, limit_given_, pause_given_;
  Duration given_pause_;
  std::uint16_t configured_[2];  // registers, bits in one answer
  std::shared_ptr<LearnedStore> store_;
  std::shared_ptr<ModelMemory> model_;
  const Clock& clock_;
  std::vector<Hole> holes_;
  std::vector<Distance> distances_;        // of the holes
  std::optional<std::uint16_t> limit_[2];  // registers, bits
  MonoTime limit_due_[2]{};
  struct Vain {
    Space space;
    std::uint16_t first, count;
    Distance distance;
  };
  std::vector<Vain> in_vain_;
  std::uint64_t revision_ = 0;
  bool full_ = false, tell_full_ = false;
};

}  // namespace lightship::poller
