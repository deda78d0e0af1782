// The portal: a thread of its own that serves pages, API and live feed, and reads what the field
// loop tells of itself.
//
// Nothing here touches the field loop's data: a question is posted there and waited for, with a
// limit, so that a slow browser never delays a poll and a loop that hangs still shows on /healthz.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/context.h"
#include "portal/api/bundle.h"
#include "portal/api/diag.h"
#include "portal/settings.h"

namespace lightship::portal {

// What the portal asks of the program. All of it is called on the field loop.
struct Program {
  std::function<std::string()> metrics;            // Prometheus text
  std::function<std::string()> status;             // JSON
  std::function<std::vector<std::string>()> late;  // what does not make progress
  std::function<bool()> ready;
  // The names of the parts that run.
  std::function<std::vector<std::string>()> parts;
  // Stops a part and starts it again. Errc::invalid: there is none of this name; refused: it is on
  // the way already.
  std::function<Task<Result<void>>(std::string part)> restart_part;
  // Nobody could log in yet: this user was made, and the password is told here and nowhere else.
  std::function<void(const std::string& user, const std::string& password)> first_password;
  // Ends the program and starts it again in its place, a moment later. Errc::unavailable: it cannot
  // be started again; the text says why.
  std::function<Result<void>()> restart;
  // Brokers, endpoints and serial ports of the configuration.
  std::function<OurUses()> uses;
  OpenPing ping;  // called on the portal's loop
  // What the files of the configuration may say. Called on a worker.
  std::function<ConfigKeys()> config_keys;
};

class Portal {
 public:
  Portal(Context& context, Program program);
  ~Portal();  // stops

  // Starts the thread; where it runs already, it is ended first, and nobody waits for that here. A
  // named address that is taken is tried again
  // and again there; nothing here fails. `listening` is called on the field loop.
  void start(const Settings& settings, std::function<void(std::string url)> listening);
  void stop();  // for good; waits for the thread

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace lightship::portal
