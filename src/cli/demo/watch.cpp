// One loop on one thread; the gateway is another process and does not notice.
#include "cli/demo/watch.h"

#include <csignal>
#include <cstdio>

#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>

#include "app/app.h"
#include "cli/control.h"
#include "cli/demo/ports.h"

namespace lightship::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartPatience = 15s;
constexpr auto kTick = 50ms;  // how soon a key, a child's end or a port is noticed
constexpr auto kDraw = 1s;
constexpr auto kAsk = 1s;
constexpr auto kListenAgain = 1s;
// The gateway stops within 2 s (docs/operations.md); this is for the case that it does not.
constexpr auto kGatewayPatience = 1900ms;
constexpr std::size_t kPowerSamples = 300;

link::MqttSettings settings_for(std::uint16_t port) {
  return {.host = "127.0.0.1",
          .port = port,
          .client_id = "lightship-demo-screen",
          .keepalive = 30s,
          .connect_timeout = 3s};
}

Result<std::string> ask_status(const std::filesystem::path& config) {
  auto gateway = RunningGateway::find(config);
  if (!gateway) return fail(Errc::unavailable, "the gateway does not answer");
  return gateway->ask({{"do", "status"}}, kAsk);
}

}  // namespace

Watch::Watch(Site site, Child& gateway, int news)
    : site_(std::move(site)),
      gateway_(gateway),
      signals_(loop_, SIGINT, SIGTERM, SIGHUP),
      news_(loop_, news),
      started_(clock_.mono()) {
  scene_.ports = site_.ports;
  scene_.broker_trouble = site_.broker_trouble;
  scene_.log = site_.log;
  scene_.feed = &feed_;
}

Watch::~Watch() = default;

int Watch::run() {
  asio::co_spawn(loop_, live(), [this](std::exception_ptr) { loop_.stop(); });
  loop_.run();
  terminal_.reset();
  return status_.value_or(app::kDefect);
}

Task<void> Watch::live() {
  TaskGroup all(loop_.get_executor());
  all.spawn(take_signals());
  if (co_await greet()) {
    if (has_screen()) terminal_ = std::make_unique<Terminal>();
    if (site_.broker_trouble.empty()) all.spawn(listen());
    all.spawn(ask());
    all.spawn(show());
    while (!(status_ = gateway_.ended())) {
      if (site_.seconds && clock_.mono() >= started_ + *site_.seconds) end();
      if (ending_ && clock_.mono() >= kill_at_) gateway_.signal(SIGKILL);
      if (terminal_ && terminal_->key() == 'q') end();
      co_await clock_.sleep_for(kTick);
    }
  } else {
    gateway_.signal(SIGTERM);
    const auto limit = clock_.mono() + kGatewayPatience;
    while (!(status_ = gateway_.ended()) && clock_.mono() < limit) co_await clock_.sleep_for(kTick);
    if (status_.value_or(app::kFine) == app::kFine) status_ = app::kUnavailable;
  }
  if (ending_) status_ = app::kFine;
  listener_.reset();
  all.cancel();
  co_await all.join();
}

// The stop begins: the gateway is told, and everything else follows its end.
void Watch::end() {
  if (!ending_) kill_at_ = clock_.mono() + kGatewayPatience;
  ending_ = true;
  site_.seconds.reset();
  gateway_.signal(SIGTERM);
}

Task<void> Watch::take_signals() {
  for (;;) {
    const int number = co_await signals_.async_wait(asio::use_awaitable);
    if (number == SIGHUP && !terminal_) {
      gateway_.signal(number);  // reload; but a terminal that hung up is the end
      continue;
    }
    end();
  }
}

// Lines: "login USER PASSWORD" where nobody could log in yet, then "portal URL".
Task<bool> Watch::hear_of_portal() {
  std::string heard;
  for (;;) {
    boost::system::error_code wrong;
    const auto size =
        co_await asio::async_read_until(news_, asio::dynamic_buffer(heard, 1024), '\n',
                                        asio::redirect_error(asio::use_awaitable, wrong));
    if (wrong) co_return false;
    const auto line = heard.substr(0, size - 1);
    heard.erase(0, size);
    if (line.starts_with("login ")) scene_.login = line.substr(6);
    if (!line.starts_with("portal ")) continue;
    const auto colon = line.rfind(':');
    scene_.ports.portal =
        static_cast<std::uint16_t>(std::strtoul(line.c_str() + colon + 1, nullptr, 10));
    co_return scene_.ports.portal != 0;
  }
}

Task<bool> Watch::greet() {
  asio::steady_timer limit(loop_, kStartPatience);
  limit.async_wait([this](boost::system::error_code stopped) {
    if (!stopped) news_.close();
  });
  if (!co_await hear_of_portal()) co_return false;
  limit.cancel();
  const auto until = started_ + kStartPatience;
  for (const auto port : {scene_.ports.portal, scene_.ports.gateway}) {
    while (!somebody_listens(port)) {
      if (gateway_.ended() || clock_.mono() >= until) co_return false;
      co_await clock_.sleep_for(5ms);
    }
  }
  fmt::print("portal http://127.0.0.1:{}\ngateway 127.0.0.1:{}\n", scene_.ports.portal,
             scene_.ports.gateway);
  if (site_.broker_trouble.empty()) fmt::print("mqtt 127.0.0.1:{}\n", scene_.ports.mqtt);
  if (!scene_.login.empty()) fmt::print("login {}\n", scene_.login);
  std::fflush(stdout);
  co_return true;
}

Task<void> Watch::listen() {
  auto made = link::MqttListener::create(
      loop_.get_executor(), settings_for(site_.ports.mqtt), {"site/#"},
      [this](const link::MqttMessage& message) { feed_.take(message.payload, clock_.mono()); });
  if (!made) {
    scene_.broker_trouble = made.error().text;
    co_return;
  }
  listener_ = std::move(*made);
  for (;;) {
    const auto why = co_await listener_->run();
    scene_.broker_trouble = why.text;
    co_await clock_.sleep_for(kListenAgain);
  }
}

Task<void> Watch::ask() {
  for (;;) {
    auto body = co_await asker_.run([config = site_.config] { return ask_status(config); });
    auto told = body ? read_status(*body) : Result<Told>(fail(body.error()));
    scene_.told_trouble = told ? "" : told.error().text;
    scene_.told = told ? std::move(*told) : Told{};
    co_await clock_.sleep_for(kAsk);
  }
}

Task<void> Watch::show() {
  for (auto next = started_ + kDraw;; next += kDraw) {
    co_await clock_.sleep_until(next);
    if (ending_) co_return;
    tick();
  }
}

void Watch::tick() {
  scene_.now = clock_.mono();
  scene_.running = std::chrono::duration_cast<Duration>(scene_.now - started_);
  if (listener_ && listener_->listening()) scene_.broker_trouble.clear();
  if (feed_.messages() > 0) scene_.power.push_back(feed_.power_w());
  if (scene_.power.size() > kPowerSamples) scene_.power.pop_front();
  bool shown = true;
  if (terminal_) {
    shown = terminal_->show(draw(scene_, terminal_->look()));
  } else {
    fmt::print("{}\n", plain_line(scene_));
    shown = std::fflush(stdout) == 0;
  }
  if (!shown) end();  // nobody reads any more
}

}  // namespace lightship::cli
