// Who is there and how they are.
#include "sim/site.h"

#include "sim/meter_map.h"
#include "sim/panel_map.h"
#include "sim/punctual.h"

namespace lightship::sim {
namespace {

using namespace std::chrono_literals;

// Long enough to be seen on a screen that is drawn once a second, short enough not to wait for it.
constexpr auto kPumpWorks = 14s;
constexpr auto kPumpFails = 8s;

RtuDevice meter(std::uint8_t unit, MeterFamily family, MeterTraits traits,
                std::chrono::milliseconds answer_time, const Clock& clock) {
  return {unit, std::make_shared<MeterMap>(family, traits, clock), answer_time};
}

std::vector<RtuDevice> meters(const Clock& clock) {
  using enum MeterFamily;
  return {meter(1, schneider_em6400,
                {.full_current = 95, .power_factor = 0.94, .energy_wh = 8'412'300, .seed = 1}, 18ms,
                clock),
          meter(2, schneider_em6400,
                {.full_current = 32, .power_factor = 0.87, .energy_wh = 1'234'567, .seed = 2}, 22ms,
                clock),
          meter(3, elmeasure_lg5310,
                {.full_current = 14, .power_factor = 0.97, .energy_wh = 401'220, .seed = 3}, 9ms,
                clock)};
}

TcpDevice::Units panel(PanelTraits traits, const Clock& clock) {
  return {{1, std::make_shared<PanelMap>(traits, clock)}};
}

}  // namespace

link::SerialSettings Site::line_settings() {
  return {
      .device = "", .baud = 19'200, .data_bits = 8, .parity = link::Parity::even, .stop_bits = 1};
}

Site::Site()
    : tasks_(loop_.get_executor()),
      panel_(loop_.get_executor(), clock_,
             panel({.set_point = 62, .run_hours = 18'250, .seed = 1}, clock_), 4ms),
      pump_(loop_.get_executor(), clock_,
            panel({.set_point = 18, .run_hours = 6'071, .seed = 2}, clock_), 12ms) {}

Result<SiteAddresses> Site::start() {
  auto line =
      RtuBus::start({.line = line_settings(), .link_as = {}, .real_time = false, .on_exchange = {}},
                    meters(clock_));
  if (!line) return fail(std::move(line.error()));
  line_ = std::move(*line);
  for (auto* device : {&panel_, &pump_}) {
    if (auto taken = device->take_port(0); !taken) return fail(std::move(taken.error()));
    if (auto listening = device->switch_on(); !listening) return fail(std::move(listening.error()));
  }
  tasks_.spawn(fail_now_and_then());
  thread_ = std::thread([this] {
    become_punctual("sim-tcp", false);
    loop_.run();
  });
  return SiteAddresses{line_->device(), panel_.port(), pump_.port()};
}

Task<void> Site::fail_now_and_then() {
  for (;;) {
    co_await clock_.sleep_for(kPumpWorks);
    co_await pump_.switch_off();
    co_await clock_.sleep_for(kPumpFails);
    (void)pump_.switch_on();  // a port that was taken meanwhile: still failing, and tried again
  }
}

Task<void> Site::end() {
  tasks_.cancel();
  co_await tasks_.join();
  co_await panel_.switch_off();
  co_await pump_.switch_off();
}

void Site::stop() {
  if (std::exchange(stopped_, true)) return;
  asio::co_spawn(loop_, end(), [](std::exception_ptr) {});
  if (thread_.joinable())
    thread_.join();
  else
    loop_.run();  // it never started, or only half
  line_.reset();
}

}  // namespace lightship::sim
