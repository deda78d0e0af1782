// Asks for the restart of a part and tells how it ended.
#include "cli/restart.h"

#include "app/app.h"
#include "cli/control.h"

namespace lightship::cli {

int restart(const std::filesystem::path& config_dir, const std::string& part) {
  // A source waits for the answer under way, a sink delivers what it has in hand.
  constexpr auto kLimit = std::chrono::seconds(30);
  auto gateway = RunningGateway::find(config_dir);
  if (!gateway) {
    fmt::print(stderr, "lightship restart: no gateway runs with the configuration {}\n",
               config_dir.string());
    return app::kUnavailable;
  }
  const auto done = gateway->ask({{"do", "restart"}, {"part", part}}, kLimit);
  if (!done) {
    fmt::print(stderr, "lightship restart: {}\n", done.error().text);
    return done.error().code == Errc::invalid ? app::kUsage : app::kUnavailable;
  }
  fmt::print("{} is restarted\n", part);
  return app::kFine;
}

}  // namespace lightship::cli
