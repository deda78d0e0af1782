// What the demo does while the gateway runs: says where everything is, listens, asks, draws, and
// ends.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/worker.h"
#include "cli/demo/child.h"
#include "cli/demo/feed.h"
#include "cli/demo/picture.h"
#include "cli/demo/terminal.h"
#include "link/mqtt_listener.h"

namespace lightship::cli {

class Watch {
 public:
  struct Site {
    DemoPorts ports;
    std::string log;               // path of the gateway's log
    std::string broker_trouble;    // why there is no broker; empty: there is one
    std::filesystem::path config;  // the gateway's directory
    std::optional<std::chrono::seconds> seconds;
  };

  // `gateway` outlives this; `news` is the descriptor its portal's address comes through, taken.
  Watch(Site site, Child& gateway, int news);
  ~Watch();

  // Until the gateway has ended: after `seconds`, after SIGINT or SIGTERM, or by itself. Its exit
  // status.
  int run();

 private:
  Task<void> live();
  Task<bool> greet();  // the addresses, once they are true; false: the gateway did not come up
  Task<bool> hear_of_portal();
  Task<void> listen();
  Task<void> ask();
  Task<void> show();
  Task<void> take_signals();
  void tick();
  void end();

  Site site_;
  Child& gateway_;
  SystemClock clock_;
  asio::io_context loop_{1};
  Worker asker_;
  asio::signal_set signals_;
  asio::posix::stream_descriptor news_;
  std::unique_ptr<link::MqttListener> listener_;
  std::unique_ptr<Terminal> terminal_;
  Feed feed_;
  Scene scene_;
  MonoTime started_;
  bool ending_ = false;  // because we want it
  MonoTime kill_at_{};
  std::optional<int> status_;
};

}  // namespace lightship::cli
