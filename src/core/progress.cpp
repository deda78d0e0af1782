// Who beats, and who is late.
#include "core/progress.h"

namespace lightship {

void Heartbeat::beat(Duration limit) { due_ = house_.clock_.mono() + limit; }

Heartbeat::~Heartbeat() { house_.all_.remove(this); }

std::unique_ptr<Heartbeat> Progress::enroll(std::string name) {
  std::unique_ptr<Heartbeat> beat(new Heartbeat(*this, std::move(name)));
  all_.push_back(beat.get());
  return beat;
}

std::vector<std::string> Progress::late() const {
  std::vector<std::string> names;
  const auto now = clock_.mono();
  for (const auto* beat : all_) {
    if (beat->due_ < now) names.push_back(beat->name_);
  }
  return names;
}

}  // namespace lightship
