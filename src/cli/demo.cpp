// Starts everything in the order in which it is needed, and takes it away again.
#include "cli/demo.h"

#include <csignal>
#include <cstdio>

#include "app/app.h"
#include "base/file.h"
#include "cli/demo/child.h"
#include "cli/demo/children.h"
#include "cli/demo/place.h"
#include "cli/demo/ports.h"
#include "cli/demo/watch.h"

namespace lightship::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPortalPort = 8080, kGatewayPort = 4196, kMqttPort = 1883;
constexpr std::size_t kMuchLog = 64 << 20;
constexpr std::size_t kTail = 2000;  // bytes of the log that are shown when the gateway failed

int unavailable(const std::string& text) {
  fmt::print(stderr, "lightship demo: {}\n", text);
  return app::kUnavailable;
}

// A signal that comes while things are being started or tidied up waits until there is somebody to
// take it, or nothing left to do.
void hold_signals(bool hold) {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, number);
  ::sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &signals, nullptr);
}

Result<DemoPorts> choose_ports(const DemoOptions& options) {
  DemoPorts ports;
  const std::tuple<std::optional<std::uint16_t>, std::uint16_t, std::uint16_t*> wanted[] = {
      {options.portal_port, kPortalPort, &ports.portal},
      {options.gateway_port, kGatewayPort, &ports.gateway},
      {options.mqtt_port, kMqttPort, &ports.mqtt}};
  for (const auto& [named, usual, chosen] : wanted) {
    auto port = choose_port(named, usual);
    if (!port) return fail(std::move(port.error()));
    *chosen = *port;
  }
  return ports;
}

void show_end_of(const std::filesystem::path& log) {
  const auto text = read_file(log, kMuchLog);
  if (!text || text->empty()) return;
  const auto from = text->size() > kTail ? text->find('\n', text->size() - kTail) + 1 : 0;
  fmt::print(stderr, "{}", std::string_view(*text).substr(from));
}

}  // namespace

int demo(const DemoOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  hold_signals(true);
  const auto ports = choose_ports(options);
  if (!ports) return unavailable(ports.error().text);
  auto place = DemoPlace::make(options.data);
  if (!place) return unavailable(place.error().text);

  // They end in the opposite order: the gateway first, so that it can deliver to the broker.
  std::unique_ptr<Child> site, broker, gateway;
  const auto addresses = start_site(site);
  if (!addresses) return unavailable(addresses.error().text);
  Watch::Site scene{*ports, place->log().string(), {}, place->config(), options.seconds};
  if (auto listens = start_broker(broker, ports->mqtt, place->broker()); !listens) {
    scene.broker_trouble = listens.error().text;
    fmt::print(stderr,
               "lightship demo: {}; going on without: what is measured waits in the outbox\n",
               scene.broker_trouble);
  }
  if (auto written = write_site_config(place->config(), *addresses, *ports); !written)
    return unavailable(written.error().text);

  app::Options run;
  run.config_dir = place->config();
  run.data_dir = place->data();
  run.config_named = run.data_named = true;
  run.portal_root = options.portal_root;
  const auto news = start_gateway(gateway, std::move(run), place->log());
  if (!news) return unavailable(news.error().text);

  int status = 0;
  {
    Watch watch(std::move(scene), *gateway, *news);
    hold_signals(false);
    status = watch.run();
    hold_signals(true);
  }
  gateway->stop(500ms);
  if (status != app::kFine) {
    fmt::print(stderr, "lightship demo: the gateway ended with status {}\n", status);
    show_end_of(place->log());
  }
  return status;
}

}  // namespace lightship::cli
