// For tests: a serial line of 9600 baud with devices that have the quirks of real ones, on a clock
// that stands still.
#pragma once

#include <map>
#include <set>

#include "codec/modbus/rtu.h"
#include "codec/modbus/server.h"
#include "sources/modbus/testing/workshop.h"

namespace lightship::poller {

struct SimulatedDevice {
  std::shared_ptr<modbus::MemoryMap> map = std::make_shared<modbus::MemoryMap>(200);
  std::shared_ptr<modbus::DataMap> meter = nullptr;  // answers instead of `map`
  Duration answer_time = std::chrono::milliseconds(10);
  bool dead = false;
  std::set<std::uint16_t> holes;        // registers that make a read fail with exception 2 ...
  bool silent_on_holes = false;         // ... or stay unanswered
  std::uint16_t refuses_above = 125;    // exception 3 for longer reads
  std::uint16_t silent_above = 125;     // no answer to longer reads
  Duration needs_pause{};               // deaf for so long after any traffic
  int refuses_with = 0;                 // an exception to all reads ...
  std::uint16_t refuses_from = 0;       // ... that begin here or behind
  bool talks_over_others = false;       // sends a frame of its own before others answer
  std::vector<MonoTime> asked{};        // when requests for it came
  std::vector<std::uint16_t> counts{};  // and how many registers they asked for
  std::vector<std::uint16_t> firsts{};
};

class SimulatedBus {
 public:
  static constexpr std::chrono::nanoseconds kCharacter = std::chrono::microseconds(1042);
  static constexpr LineTiming kTiming{kCharacter, std::chrono::microseconds(3646)};

  explicit SimulatedBus(Workshop& shop) : shop_(shop) {}

  // The next request finds the connection closed; `hangs_up`: after each answer.
  void hang_up() { ++connection_; }
  bool hangs_up = false;

  SimulatedDevice& operator[](int unit) { return devices_[static_cast<std::uint8_t>(unit)]; }

  LineSetup line(std::vector<DeviceSetup> devices) {
    auto setup = shop_.line(std::move(devices));
    setup.retries = 3;
    setup.timeout = std::chrono::seconds(3);
    setup.open = [this](Context&) { return dial(*this); };
    return setup;
  }

  // A meter with 16-bit points at these addresses.
  static DeviceSetup meter(int unit, Duration every, const std::vector<int>& addresses,
                           std::uint16_t max_gap = 30) {
    auto setup = Workshop::meter(static_cast<std::uint8_t>(unit), every);
    setup.points = {};
    for (const int address : addresses) {
      setup.points.push_back({"p" + std::to_string(address),
                              "",
                              {Space::holding, static_cast<std::uint16_t>(address), 1},
                              {},
                              {}});
    }
    setup.limits.max_gap = max_gap;
    return setup;
  }

 private:
  class Line;
  static Task<Result<std::unique_ptr<Conversation>>> dial(SimulatedBus& bus);
  // What comes after this frame, and when (from its last bit).
  void hear(Bytes frame, MonoTime begun, std::vector<std::pair<MonoTime, ByteVector>>& coming);

  Workshop& shop_;
  std::map<std::uint8_t, SimulatedDevice> devices_;
  MonoTime quiet_since_{};
  unsigned connection_ = 0;
};

class SimulatedBus::Line final : public link::ByteLine {
 public:
  Line(asio::any_io_executor executor, SimulatedBus& bus)
      : bus_(bus), wake_(std::move(executor), asio::steady_timer::time_point::max()) {}

  Task<Result<void>> write(Bytes bytes) override {
    if (connection_ != bus_.connection_) co_return fail(Errc::closed, "the other side hung up");
    bus_.hear(bytes, bus_.shop_.clock.mono(), coming_);
    co_return Result<void>{};
  }
  Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into, MonoTime until) override {
    auto& clock = bus_.shop_.clock;
    for (;;) {
      if (!coming_.empty() && coming_.front().first <= clock.mono()) {
        const auto [when, bytes] = coming_.front();
        coming_.erase(coming_.begin());
        std::ranges::copy(bytes, into.begin());
        last_ = when;
        co_return bytes.size();
      }
      if (clock.mono() >= until) co_return fail(Errc::timeout, "nothing came");
      const auto next = coming_.empty() ? until : std::min(until, coming_.front().first);
      const auto ticket = clock.call_at(next, [this] { wake_.cancel(); });
      boost::system::error_code ended;
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ended));
      clock.forget(ticket);
      const auto told = co_await asio::this_coro::cancellation_state;
      if (told.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(ended);
    }
  }
  std::size_t discard(std::span<std::uint8_t> = {}) override {
    std::size_t dropped = 0;
    while (!coming_.empty() && coming_.front().first <= bus_.shop_.clock.mono()) {
      dropped += coming_.front().second.size();
      coming_.erase(coming_.begin());
    }
    return dropped;
  }
  MonoTime last_byte_at() const override { return last_; }
  std::string_view name() const override { return "simulated"; }
  bool is_open() const override { return open_; }
  void close() override {
    open_ = false;
    wake_.cancel();
  }

 private:
  SimulatedBus& bus_;
  asio::steady_timer wake_;
  std::vector<std::pair<MonoTime, ByteVector>> coming_;
  MonoTime last_{};
  unsigned connection_ = bus_.connection_;
  bool open_ = true;
};

inline Task<Result<std::unique_ptr<Conversation>>> SimulatedBus::dial(SimulatedBus& bus) {
  co_return std::make_unique<LineConversation>(
      std::make_unique<Line>(bus.shop_.loop.get_executor(), bus), bus.shop_.clock,
      LineConversation::Framing::rtu, kTiming, modbus::Echo::unknown);
}

inline void SimulatedBus::hear(Bytes frame, MonoTime begun,
                               std::vector<std::pair<MonoTime, ByteVector>>& coming) {
  const auto quiet = begun - quiet_since_;
  const auto end = begun + static_cast<std::int64_t>(frame.size()) * kCharacter;
  quiet_since_ = end;
  const auto known = devices_.find(frame[0]);
  if (known == devices_.end()) return;
  auto& device = known->second;
  const auto pdu = frame.subspan(1, frame.size() - 3);
  const std::uint16_t first = load_u16(&pdu[1]), count = load_u16(&pdu[3]);
  device.asked.push_back(begun);
  device.firsts.push_back(first);
  device.counts.push_back(count);
  if (device.dead || quiet < device.needs_pause || count > device.silent_above) return;
  const bool hole = pdu[0] >= 3 && std::ranges::any_of(device.holes, [&](auto at) {
                      return first <= at && at < first + count;
                    });
  if (hole && device.silent_on_holes) return;

  auto when = end + device.answer_time;
  const auto say = [&](std::uint8_t unit, Bytes answer) {
    auto said = modbus::rtu::frame(unit, answer);
    when += static_cast<std::int64_t>(said.size()) * kCharacter;
    coming.emplace_back(when, std::move(said));
  };
  for (const auto& [unit, other] : devices_) {
    if (unit != frame[0] && other.talks_over_others) say(unit, hex("03 02 00 07"));
  }
  if (device.refuses_with != 0 && first >= device.refuses_from)
    say(frame[0],
        modbus::encode_exception(pdu[0], static_cast<modbus::Exception>(device.refuses_with)));
  else if (hole)
    say(frame[0], modbus::encode_exception(pdu[0], modbus::Exception::illegal_address));
  else if (pdu[0] >= 3 && count > device.refuses_above)
    say(frame[0], modbus::encode_exception(pdu[0], modbus::Exception::illegal_value));
  else
    say(frame[0],
        modbus::answer(device.meter ? *device.meter : static_cast<modbus::DataMap&>(*device.map),
                       frame[0], pdu));
  quiet_since_ = when;
  if (hangs_up) hang_up();
}

}  // namespace lightship::poller
