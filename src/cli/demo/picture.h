// The status screen as text: what is known -> lines of a given size. Pure, so that it can be looked
// at in a test.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "cli/demo/feed.h"
#include "cli/demo/place.h"
#include "cli/demo/told.h"

namespace lightship::cli {

enum class Tone { plain, dim, strong, good, bad, accent };

struct Look {
  int width = 80;
  int height = 24;
  bool colour = false;
  bool unicode = true;
};

struct Scene {
  Duration running{};
  DemoPorts ports;
  std::string login;           // "admin PASSWORD": the portal's first; empty: there are users
  std::string broker_trouble;  // why nothing can be heard at the broker
  std::string log;             // where to read on
  const Feed* feed = nullptr;
  Told told;
  std::string told_trouble;
  std::deque<double> power;  // a sample a second, the newest last
  MonoTime now{};
};

// One device, what is wrong with it in words. Empty: nothing.
std::string what_fails(const Scene& scene, const HeardDevice& device);

// At most look.height lines, none wider than look.width, with escapes when look.colour.
std::vector<std::string> draw(const Scene& scene, const Look& look);

// "12 s: 5 devices, 4 online, 57 messages at the broker, 5.1/s, newest 0.2 s old".
std::string plain_line(const Scene& scene);

}  // namespace lightship::cli
