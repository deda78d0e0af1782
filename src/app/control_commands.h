// What the control socket can do: status, restart, read, write.
//
//   {"do":"status"}                                      as GET /api/status
//   {"do":"restart","part":"mqtt/default"}             -> {"part":"mqtt/default"}
//   {"do":"read","device":"C/D","function":3,"first":0,"count":2,"timeout_ms":3000}
//                                                        -> {"data":"43 66 40 00"}
//   {"do":"write","device":"C/D","point":"P","value":"42","expected":"41","timeout_ms":10000}
//                                                        -> as write_reply
#pragma once

#include "app/control.h"
#include "config/outbox_settings.h"
#include "core/request.h"

namespace lightship::app {

struct Commands {
  std::function<std::string()> status;  // JSON
  std::function<Task<Result<void>>(const std::string& part)> restart;
  std::function<config::OutboxSettings()> outbox;
};
void add_commands(Control& control, Context& context, Commands commands);

// {"device","point","value","before","now","duration_ms"}: what `lightship write --json` prints.
std::string write_reply(const std::string& device, const std::string& point,
                        const Written& written);

}  // namespace lightship::app
