// What was learned of a meter model, and its place in DATA_DIR/learned.json.
//
// A hole is a range that the device refuses: between points (a gap that was read along to save a
// request) or a point itself. What one device teaches serves all of its model, and outlives a
// restart; what nobody has found again for 30 days is forgotten.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sources/modbus/plan.h"

namespace lightship::poller {

struct Learned {
  std::optional<std::uint16_t> max_registers, max_bits;
  Duration pause{};  // silence needed before a request
  std::vector<Hole> holes;
  Time since{};     // the first of it
  Time found{};     // the newest of it, or when it was last found to be still so
  std::string why;  // the newest of it, for people

  bool nothing() const {
    return !max_registers && !max_bits && pause == Duration{} && holes.empty();
  }
};

// A model's memory, shared by its devices. The revision grows with each change, so that a device
// sees at a glance whether another one has learned something.
struct ModelMemory {
  Learned learned;
  std::uint64_t revision = 0;
  bool searching = false;  // one of its devices is finding something out: the others wait for that
};

using LearnedModels = std::map<std::string, std::shared_ptr<ModelMemory>, std::less<>>;

// One model keeps so many holes, one gateway so many models; what is older goes.
constexpr std::size_t kMostHoles = 200, kMostModels = 500;
constexpr std::size_t kLargestLearnedFile = 4 << 20;

// Adds the hole, or says that it was found again. False: known already, or no room.
bool remember(Learned& learned, const Hole& hole, Time now);
// Forgets the hole of this range. False: there was none.
bool forget(Learned& learned, const Hole& hole);

std::string to_json(const LearnedModels& models);
// Errc::invalid: damaged, or of a version that is not ours.
Result<LearnedModels> learned_from_json(std::string_view text, Time now);

}  // namespace lightship::poller
