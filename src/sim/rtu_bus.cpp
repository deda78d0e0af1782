// Hearing, waiting, answering.
#include "sim/rtu_bus.h"

#include "codec/modbus/function.h"
#include "codec/modbus/reply.h"
#include "codec/modbus/rtu.h"
#include "link/serial_timing.h"

namespace lightship::sim {
namespace {

using namespace std::chrono_literals;

// A program may be put aside between two writes of one request, which a UART's buffer would hide.
constexpr auto kPauseInRequest = 10ms;

// Above 19200 baud characters are handed over in groups of about this much, as adapters do.
constexpr auto kGroup = 500us;

std::size_t group_size(unsigned baud, std::chrono::nanoseconds character) {
  if (baud <= link::kFixedSilenceAbove) return 1;
  return static_cast<std::size_t>((kGroup + character - 1ns) / character);
}

}  // namespace

Result<std::unique_ptr<RtuBus>> RtuBus::start(Settings settings, std::vector<RtuDevice> devices) {
  auto pty = Pty::open(settings.link_as);
  if (!pty) return fail(std::move(pty.error()));
  return std::unique_ptr<RtuBus>(
      new RtuBus(std::move(settings), std::move(*pty), std::move(devices)));
}

RtuBus::RtuBus(Settings settings, Pty pty, std::vector<RtuDevice> devices)
    : settings_(std::move(settings)),
      pty_(std::move(pty)),
      character_(link::char_time(settings_.line)),
      silence_(link::t35(settings_.line)),
      devices_(std::move(devices)),
      thread_([this] { run(); }) {}

RtuBus::~RtuBus() {
  alarm_.call_off();
  thread_.join();
}

void RtuBus::set_faults(std::uint8_t unit, Faults faults) {
  const std::lock_guard lock(mutex_);
  if (auto* device = find(unit)) device->faults = std::move(faults);
}

LineTally RtuBus::tally() const {
  const std::lock_guard lock(mutex_);
  return tally_;
}

RtuDevice* RtuBus::find(std::uint8_t unit) {
  const auto found = std::ranges::find(devices_, unit, &RtuDevice::unit);
  return found == devices_.end() ? nullptr : &*found;
}

void RtuBus::run() {
  become_punctual("sim-line", settings_.real_time);
  while (auto request = hear()) {
    if (!answer(*request)) return;
  }
}

std::optional<RtuBus::Request> RtuBus::hear() {
  for (;;) {
    if (const auto frame = scanner_.next()) {
      hearing_ = false;
      return Request{frame->unit, ByteVector(frame->pdu.begin(), frame->pdu.end())};
    }
    const auto until = hearing_ ? busy_until_ + silence_ + kPauseInRequest : MonoTime::max();
    switch (alarm_.wait_readable(pty_.fd(), until)) {
      case Alarm::Woken::called_off:
        return std::nullopt;
      case Alarm::Woken::time: {
        const std::lock_guard lock(mutex_);
        scanner_.silence();
        tally_.bad_crc = scanner_.bad_crc();
        hearing_ = false;
        continue;
      }
      case Alarm::Woken::readable:
        break;
    }
    std::array<std::uint8_t, 512> bytes;
    const auto now = SystemClock().mono();
    const auto count = pty_.read(bytes);
    if (count == 0) continue;
    if (!hearing_) {
      asked_ = std::max(now, busy_until_);
      const std::lock_guard lock(mutex_);
      if (asked_ < busy_until_ + silence_ && busy_until_ != MonoTime{}) ++tally_.hurried;
    }
    hearing_ = true;
    busy_until_ = std::max(now, busy_until_) + link::wire_time(settings_.line, count);
    scanner_.feed(Bytes(bytes.data(), count));
  }
}

// False: called off.
bool RtuBus::answer(const Request& request) {
  RtuDevice device;
  {
    const std::lock_guard lock(mutex_);
    ++tally_.requests;
    if (request.unit == modbus::kBroadcast) {
      for (auto& one : devices_) (void)modbus::answer(*one.map, request.unit, request.pdu);
      return true;
    }
    const auto* known = find(request.unit);
    if (known == nullptr) ++tally_.foreign;
    if (known == nullptr || known->faults.silent) return true;
    device = *known;
  }
  const auto& faults = device.faults;
  const auto pdu = faults.refusal ? modbus::encode_exception(request.pdu[0], *faults.refusal)
                                  : modbus::answer(*device.map, request.unit, request.pdu);
  if (pdu.empty()) return true;
  ByteVector bytes = faults.noise;
  modbus::rtu::append_frame(bytes, request.unit, pdu);
  const auto number = ++answered_[request.unit];
  if (faults.bad_crc_every > 0 && number % faults.bad_crc_every == 0) bytes.back() ^= 0x55;

  const auto ready = busy_until_ + silence_;
  if (!alarm_.sleep_until(ready + device.answer_time + faults.delay)) return false;
  const auto begun = SystemClock().mono();
  const auto asked = asked_, request_end = busy_until_;
  if (!say(bytes, begun)) return false;
  const auto over = SystemClock().mono();

  const Exchange exchange{request.unit, asked,         request_end,
                          over,         begun - ready, std::max(0ns, over - busy_until_)};
  busy_until_ = over;
  {
    const std::lock_guard lock(mutex_);
    ++tally_.answers;
  }
  if (settings_.on_exchange) settings_.on_exchange(exchange);
  return true;
}

bool RtuBus::say(Bytes bytes, MonoTime from) {
  const auto group = group_size(settings_.line.baud, character_);
  for (std::size_t said = 0; said < bytes.size();) {
    const auto part = bytes.subspan(said, std::min(group, bytes.size() - said));
    said += part.size();
    busy_until_ = from + link::wire_time(settings_.line, said);
    if (!alarm_.sleep_until(busy_until_)) return false;
    // Nobody may speak before this last character was heard.
    if (said == bytes.size() && pty_.waiting() > 0) {
      std::array<std::uint8_t, 512> lost;
      while (pty_.read(lost) > 0) {
      }
      const std::lock_guard lock(mutex_);
      ++tally_.collisions;
    }
    pty_.write(part);
  }
  return true;
}

}  // namespace lightship::sim
