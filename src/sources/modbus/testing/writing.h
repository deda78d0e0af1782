// For tests: a device of plain memory behind a writer, and the audit as lines.
#pragma once

#include <set>

#include "codec/modbus/exception.h"
#include "codec/modbus/server.h"
#include "sources/modbus/testing/workshop.h"
#include "sources/modbus/writer.h"

namespace lightship::poller {

class AuditInMemory final : public Audit {
 public:
  using Audit::Audit;
  std::vector<std::string> lines;
  bool full = false;        // the disk
  bool unreadable = false;  // and its lines

  Task<Result<void>> read_back(Time, std::function<void(std::string_view)> take) override {
    if (unreadable) co_return fail(Errc::unavailable, "cannot read the audit");
    for (const auto& line : lines) take(line);
    co_return Result<void>{};
  }

 protected:
  Task<Result<void>> keep(std::string line, Durability) override {
    if (full) co_return fail(Errc::unavailable, "no space left on device");
    lines.push_back(std::move(line));
    co_return Result<void>{};
  }
};

// Answers at once, unless told otherwise.
class DeviceInMemory final : public WriteLine {
 public:
  explicit DeviceInMemory(Clock& clock) : clock_(clock) {}

  Task<Result<ByteVector>> ask_for(DeviceId, modbus::Request request, Duration limit) override {
    const auto function = modbus::code(modbus::function_of(request));
    const bool write = modbus::is_write(modbus::function_of(request));
    asked.push_back(modbus::describe(request));
    if (takes_long > Duration{}) co_await clock_.sleep_for(takes_long);
    if (unreachable) co_return fail(Errc::unavailable, "cannot connect");
    if (refused.contains(function)) co_return fail(modbus::exception_error(1));
    if (write && exception != 0) {
      const int code = std::exchange(exception, 0);
      if (code == 5) modbus::answer(map, 1, modbus::encode(request));
      co_return fail(modbus::exception_error(code));
    }
    if (silent || (write && loses == Loses::the_request)) {
      co_await clock_.sleep_for(std::min<Duration>(limit, std::chrono::seconds(1)));
      co_return fail(Errc::timeout, "no answer within 1 s");
    }
    const auto held = map.holding;
    auto pdu = modbus::answer(map, 1, modbus::encode(request));
    if (write && forgets) map.holding = held;
    if (write && loses == Loses::the_answer) {
      silent = silent_after;
      co_return fail(Errc::timeout, "no answer within 1 s");
    }
    if ((pdu[0] & 0x80) != 0) co_return fail(modbus::exception_error(pdu[1]));
    co_return pdu;
  }

  enum class Loses { nothing, the_request, the_answer };
  modbus::MemoryMap map{100};
  std::vector<std::string> asked;
  std::set<int> refused;  // functions, with exception 1
  int exception = 0;      // of the next write
  bool unreachable = false, silent = false, silent_after = false;
  bool forgets = false;  // takes a write and holds what it held
  Loses loses = Loses::nothing;
  Duration takes_long{};

 private:
  Clock& clock_;
};

// A press with a few registers that may be written.
struct Writing {
  static DevicePoint point(const char* name, std::uint16_t address, modbus::PointSpec spec,
                           WriteRule rule, Space space = Space::holding) {
    rule.writable = rule.writable.value_or(true);
    const auto count = modbus::registers_of(spec);
    return {name,
            "",
            {space, address, count},
            std::move(spec),
            {},
            {},
            std::make_shared<const WriteRule>(rule)};
  }
  static DeviceSetup press() {
    using modbus::DataType;
    DeviceSetup setup;
    setup.info.connection = "hall";
    setup.info.client = "press";
    setup.info.unit = 7;
    setup.info.poll_interval = std::chrono::seconds(10);
    setup.allow_write = true;
    setup.points = {
        point("setpoint", 20, {.type = DataType::uint16}, {.least = 0, .most = 90, .step = 0.5}),
        point("heat", 21, {.type = DataType::int16, .scale = 0.1}, {}),
        point("flow", 22, {.type = DataType::float32, .count = 2}, {}),
        point("run", 3, {.type = DataType::boolean}, {}, Space::coils),
        point("valve", 30, {.type = DataType::bit, .bit = 2}, {}),
        point("serial", 40, {.type = DataType::uint16}, {.writable = false}),
        point("power", 50, {.type = DataType::int16}, {.least = -100, .most = 100}),
        point("power_scale", 51, {.type = DataType::sunssf}, {.writable = false}),
        point("wear", 60, {.type = DataType::uint16}, {.min_interval = std::chrono::seconds(10)}),
        point("measured", 5, {.type = DataType::uint16}, {}, Space::input),
    };
    setup.points.own()[6].scale_register = "power_scale";
    return setup;
  }

  explicit Writing(DeviceSetup what = press())
      : setup(std::move(what)), device(shop.clock), audit(shop.clock) {
    shop.context.audit = &audit;
    id = shop.catalog.device(setup.info);
    std::vector<PointId> points;
    std::vector<RegisterImage::Range> ranges;
    for (const auto& p : setup.points) {
      points.push_back(shop.catalog.point(id, p.name));
      ranges.push_back({p.where.space, p.where.address, p.where.count});
    }
    shop.catalog.set_points(id, points);
    shop.cache.image(id).declare(ranges);
    writer.add(id, setup);
    writer.start();
  }
  ~Writing() {
    TaskGroup end(shop.loop.get_executor());
    end.spawn(writer.stop());
    shop.clock.settle();
  }

  // "now 42, was 7", or the error's text.
  std::string write(const char* point, Value value, std::optional<Value> expected = {},
                    std::chrono::nanoseconds so_long = std::chrono::seconds(20)) {
    PointWrite what{*shop.catalog.find_point("hall/press/" + std::string(point)), std::move(value),
                    std::move(expected), "test"};
    std::string told = "no answer yet";
    TaskGroup group(shop.loop.get_executor());
    group.spawn(tell(*this, std::move(what), told));
    shop.clock.advance(so_long);
    group.cancel();
    shop.clock.settle();
    return told;
  }
  static Task<void> tell(Writing& self, PointWrite what, std::string& told) {
    auto writing = self.writer.write_point(self.id, std::move(what), std::chrono::seconds(10));
    const auto written = co_await std::move(writing);
    self.error = written ? Error{} : written.error();
    told = written ? "now " + to_text(written->now) + ", was " + to_text(written->before)
                   : written.error().text;
  }

  // The answer's PDU, or "exception 3" of a refusal, or the error's text.
  std::string raw(std::string_view pdu,
                  std::chrono::nanoseconds so_long = std::chrono::seconds(20)) {
    std::string told = "no answer yet";
    TaskGroup group(shop.loop.get_executor());
    group.spawn(tell_raw(*this, hex(pdu), told));
    shop.clock.advance(so_long);
    group.cancel();
    shop.clock.settle();
    return told;
  }
  static Task<void> tell_raw(Writing& self, ByteVector pdu, std::string& told) {
    auto writing = self.writer.write_registers(self.id, std::move(pdu), "gateway 192.0.2.7",
                                               std::chrono::seconds(5));
    const auto said = co_await std::move(writing);
    self.error = said ? Error{} : said.error();
    told = said                                 ? to_hex(*said)
           : said.error().code == Errc::refused ? "exception " + std::to_string(said.error().detail)
                                                : said.error().text;
  }

  Workshop shop;
  DeviceSetup setup;
  DeviceInMemory device;
  AuditInMemory audit;
  Writer writer{shop.context, device, "hall"};
  DeviceId id{};
  Error error;
};

}  // namespace lightship::poller
