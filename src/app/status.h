// What the running gateway says of itself: GET /api/status, systemd's STATUS line.
#pragma once

#include <string>

#include "app/parts.h"
#include "core/context.h"

namespace lightship::app {

struct Running {  // what status needs beside the context and the parts
  Time started{};
  MonoTime started_mono{};
  Time loaded{};
  std::string config_hash;
  std::string portal;  // its URL; empty: it does not listen
  bool ready = false;
};

std::string status_json(Context& context, const Parts& parts, const Running& running);
std::string status_line(Context& context,
                        const Running& running);  // "5 devices, 4 answer; 57 messages delivered"

// Memory and processor time of this process, as gauges.
void add_process_metrics(Metrics& metrics, Time started);

}  // namespace lightship::app
