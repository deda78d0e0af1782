// Works a configuration out.
#include "sources/modbus/setup.h"

#include "sources/modbus/frame_words.h"

#include <algorithm>

#include "link/serial.h"
#include "link/serial_timing.h"
#include "link/tcp.h"
#include "link/udp.h"
#include "sources/modbus/line_conversation.h"
#include "sources/modbus/mbap_conversation.h"
#include "sources/modbus/poll_groups.h"

namespace lightship::poller {

using namespace std::chrono_literals;

namespace {

// What a device is taken to need before it answers, until it is measured.
constexpr Duration kAssumedAnswer = 20ms;
constexpr Duration kAssumedNetworkAnswer = 10ms;
// For the plan of a line a quick device is assumed: a gap that pays with it pays with a slower one
// too.
constexpr Duration kQuickAnswer = 5ms;
// Over more than this a hole that the device refuses is likely, however little the gap costs.
constexpr std::uint16_t kWidestGap = 32;

bool is_stream_of_mbap(LineType type) { return type == LineType::tcp || type == LineType::udp; }

std::uint8_t confidence_of(std::string_view word) {
  const auto found = std::ranges::find(kConfidences, word);
  return found == kConfidences.end() ? std::uint8_t{0}
                                     : static_cast<std::uint8_t>(found - kConfidences.begin());
}

DevicePoint device_point(const std::string& name, const RegisterConfig& c) {
  return {name,
          c.unit,
          {static_cast<Space>(c.function), c.address, wire_count(c), c.alone},
          point_spec(c),
          c.scale_register,
          {},
          write_rule(c),
          {},
          c.alarm,
          confidence_of(c.confidence)};
}

// A scale register goes with what it scales, unless it is named itself.
void put_into_groups(std::vector<DevicePoint>& points, const std::vector<PollGroupConfig>& groups) {
  for (const auto& group : groups) {
    for (const auto& name : group.points) {
      const auto point = std::ranges::find(points, name, &DevicePoint::name);
      if (point != points.end()) point->interval = group.interval;
    }
  }
  for (const auto& point : points) {
    if (point.scale_register.empty() || point.interval.count() == 0) continue;
    const auto scale = std::ranges::find(points, point.scale_register, &DevicePoint::name);
    if (scale == points.end()) continue;
    const bool named = std::ranges::any_of(groups, [&](const auto& group) {
      return std::ranges::find(group.points, scale->name) != group.points.end();
    });
    // One that scales points of several groups is read with the quickest of them.
    if (!named && (scale->interval.count() == 0 || point.interval < scale->interval))
      scale->interval = point.interval;
  }
}

// Where the point stands in the SunSpec models of the meter, or of those that it combines.
std::vector<SunspecPlace> places_of(const std::string& name, const MeterConfig& meter,
                                    const Meters& meters) {
  std::vector<SunspecPlace> places;
  for (const auto* part : meters.parts_of(meter)) {
    const auto c = std::ranges::find(part->registers, name, &Registers::value_type::first);
    if (!part->sunspec || c == part->registers.end()) continue;
    places.push_back({part->sunspec->models, c->second.address, wire_count(c->second),
                      point_spec(c->second), c->second.scale_register});
  }
  return places;
}

void put(std::vector<DevicePoint>& points, DevicePoint point) {
  const auto known = std::ranges::find(points, point.name, &DevicePoint::name);
  if (known != points.end())
    *known = std::move(point);
  else
    points.push_back(std::move(point));
}

}  // namespace

std::vector<DevicePoint> device_points(const DeviceConfig& device, const Meters& meters) {
  std::vector<DevicePoint> points;
  if (const auto* meter = meters.find(device.meter_model)) {
    const auto names = profile_points(*meter, device.profile);
    const auto add = [&](const std::string& name, const RegisterConfig& c) {
      auto point = device_point(name, c);
      if (meter->sunspec) point.sunspec = places_of(name, *meter, meters);
      put(points, std::move(point));
    };
    for (const auto& [name, c] : meter->registers) {
      if (std::ranges::find(names, name) == names.end()) continue;
      add(name, c);
      // A scale register is read with what it scales, whatever the profile says.
      if (c.scale_register.empty()) continue;
      const auto scale =
          std::ranges::find(meter->registers, c.scale_register, &Registers::value_type::first);
      if (scale != meter->registers.end()) add(scale->first, scale->second);
    }
    // Where they usually are, for the plan on paper; the device is asked before it is polled.
    if (meter->sunspec) {
      if (auto usual = resolve(points, usual_chain(points))) points = std::move(*usual);
    }
  }
  for (const auto& [name, c] : device.registers) put(points, device_point(name, c));
  put_into_groups(points, device.poll_groups);
  return points;
}

std::optional<unsigned> meter_baud(const ConnectionConfig& connection, const Meters& meters) {
  for (const auto& client : connection.clients) {
    const auto* meter = meters.find(client.meter_model);
    if (meter != nullptr && meter->default_baud_rate) return meter->default_baud_rate;
  }
  return std::nullopt;
}

DeviceSetup device_setup(const ConnectionConfig& connection, const DeviceConfig& device,
                         const Meters& meters) {
  DeviceSetup setup;
  setup.info = config::device_info(connection.id, device, device.unit_id);
  setup.info.model = device.meter_model;
  setup.profile = device.profile;
  auto points = device_points(device, meters);
  setup.allow_write = device.allow_write;
  setup.max_writes_per_minute = device.max_writes_per_minute;
  // The device's own interval is that of its quickest points.
  if (!points.empty()) {
    Duration quickest = Duration::max();
    for (const auto& point : points) {
      quickest = std::min(quickest,
                          point.interval.count() > 0 ? point.interval : setup.info.poll_interval);
    }
    for (auto& point : points) {
      if (point.interval.count() == 0) point.interval = setup.info.poll_interval;
    }
    setup.info.poll_interval = quickest;
    for (auto& point : points) {
      if (point.interval == quickest) point.interval = {};
    }
  }
  setup.points = std::move(points);

  LimitsConfig limits = device.limits;
  if (const auto* meter = meters.find(device.meter_model)) {
    setup.model_name = shown_model(*meter, device.meter_model);
    if (!limits.max_registers) limits.max_registers = meter->limits.max_registers;
    if (!limits.max_gap) limits.max_gap = meter->limits.max_gap;
    if (!limits.pause_after_answer) limits.pause_after_answer = meter->limits.pause_after_answer;
    if (!limits.in_flight) limits.in_flight = meter->limits.in_flight;
    if (!limits.answers_as) limits.answers_as = meter->limits.answers_as;
    if (meter->sunspec)
      setup.sunspec_bases = meter->sunspec->bases.empty() ? kSunspecBases : meter->sunspec->bases;
    if (!limits.learn) limits.learn = meter->limits.learn;
  }
  std::uint16_t gap = kWidestGap;
  if (connection.is_serial_port()) {
    const auto settings = serial_settings(connection, meter_baud(connection, meters));
    gap = std::min(
        gap,
        break_even_gap(std::chrono::duration_cast<Duration>(link::char_time(settings)),
                       std::chrono::duration_cast<Duration>(link::t35(settings)), kQuickAnswer));
  }
  setup.learns = limits.learn.value_or(true);
  // A gap that is refused spoils its whole block; without learning it would do so for ever.
  if (!setup.learns) gap = 0;
  setup.limit_given = limits.max_registers.has_value();
  setup.pause_given = limits.pause_after_answer.has_value();
  setup.limits = {limits.max_registers.value_or(125), 2000, limits.max_gap.value_or(gap)};
  setup.pause = limits.pause_after_answer.value_or(Duration{});
  setup.in_flight = is_stream_of_mbap(connection.type) ? limits.in_flight.value_or(1) : 1;
  setup.answers_as = limits.answers_as ? *limits.answers_as : -1;
  return setup;
}

std::string line_name(const ConnectionConfig& connection, const Meters& meters) {
  switch (connection.type) {
    case LineType::serial:
    case LineType::ascii:
      return fmt::format(
          "{} {} {}", connection.type == LineType::serial ? "serial" : "ascii", connection.port,
          link::describe(serial_settings(connection, meter_baud(connection, meters))));
    case LineType::tcp:
      return fmt::format("tcp {}:{}", connection.host, connection.tcp_port);
    case LineType::rtu_over_tcp:
      return fmt::format("rtu over tcp {}:{}", connection.host, connection.tcp_port);
    case LineType::udp:
      return fmt::format("udp {}:{}", connection.host, connection.tcp_port);
  }
  return connection.id;
}

Task<Result<std::unique_ptr<Conversation>>> open_line(asio::any_io_executor executor, Clock& clock,
                                                      const ConnectionConfig& connection,
                                                      const link::SerialSettings& settings,
                                                      std::vector<std::string>* notes,
                                                      std::shared_ptr<FrameLine> frames) {
  using Line = LineConversation;
  const auto echo = connection.echo ? modbus::Echo::always : modbus::Echo::unknown;
  switch (connection.type) {
    case LineType::serial:
    case LineType::ascii: {
      auto line = link::open_serial(executor, clock, settings);
      if (!line) co_return fail(line.error());
      if (notes != nullptr) *notes = (*line)->notes();
      const auto framing =
          connection.type == LineType::serial ? Line::Framing::rtu : Line::Framing::ascii;
      auto timing = line_timing(settings);
      if (framing == Line::Framing::ascii)
        timing.silence = {};  // ASCII frames are told apart by their colon
      auto conversation =
          std::make_unique<Line>(std::move(*line), clock, framing, timing, echo, std::move(frames));
      co_await conversation->hear_out();
      co_return conversation;
    }
    case LineType::rtu_over_tcp: {
      auto line =
          co_await link::dial_tcp(clock, connection.host, connection.tcp_port, connection.timeout);
      if (!line) co_return fail(line.error());
      co_return std::make_unique<Line>(std::move(*line), clock, Line::Framing::rtu, LineTiming{},
                                       echo, std::move(frames));
    }
    case LineType::tcp: {
      auto line =
          co_await link::dial_tcp(clock, connection.host, connection.tcp_port, connection.timeout);
      if (!line) co_return fail(line.error());
      co_return std::make_unique<MbapConversation>(std::move(*line), clock, executor,
                                                   std::move(frames));
    }
    case LineType::udp: {
      auto line =
          co_await link::dial_udp(clock, connection.host, connection.tcp_port, connection.timeout);
      if (!line) co_return fail(line.error());
      co_return std::make_unique<MbapConversation>(std::move(*line), clock, executor,
                                                   std::move(frames));
    }
  }
  co_return fail(Errc::invalid, "unknown connection type");
}

namespace {

FrameForm frame_form(LineType type) {
  switch (type) {
    case LineType::serial:
    case LineType::rtu_over_tcp:
      return {"mbrtu", read_rtu_frame};
    case LineType::ascii:
      return {"mbrtu", read_ascii_frame};
    case LineType::tcp:
      return {"mbtcp", read_mbap_frame};
    case LineType::udp:
      return {"mbudp", read_mbap_frame};
  }
  return {};
}

std::shared_ptr<FrameLine> frames_of(Context& context, const ConnectionConfig& connection) {
  return FrameRing::of(context)->enter("modbus/" + connection.id, frame_form(connection.type));
}

// A function with parameters, not a lambda with captures: the coroutine outlives the call.
Task<Result<std::unique_ptr<Conversation>>> open_for(
    Context& context, std::shared_ptr<const ConnectionConfig> connection,
    link::SerialSettings settings) {
  std::vector<std::string> notes;
  auto opened = co_await open_line(context.executor, context.clock, *connection, settings, &notes,
                                   frames_of(context, *connection));
  Log log(context.logbook, "modbus/" + connection->id);
  for (const auto& note : notes) log.info("port", field("note", note));
  co_return opened;
}

}  // namespace

LineSetup line_setup(const ConnectionConfig& connection, const Meters& meters) {
  LineSetup setup;
  setup.id = connection.id;
  setup.label = connection.label;
  setup.frames = frame_form(connection.type);
  setup.line = line_name(connection, meters);
  setup.is_serial = connection.is_serial_port();
  if (setup.is_serial) {
    const auto settings = serial_settings(connection, meter_baud(connection, meters));
    setup.character = link::char_time(settings);
    setup.silence = link::t35(settings);
    setup.is_ascii = connection.type == LineType::ascii;
  }
  setup.timeout = connection.timeout;
  setup.retries = connection.retries;
  setup.pause_after_connect = connection.pause_after_connect;
  for (const auto& client : connection.clients) {
    setup.devices.push_back(device_setup(connection, client, meters));
    setup.window = std::max(setup.window, setup.devices.back().in_flight);
  }
  setup.open = [shared = std::make_shared<const ConnectionConfig>(connection),
                settings = serial_settings(connection, meter_baud(connection, meters))](
                   Context& context) { return open_for(context, shared, settings); };
  return setup;
}

config::LinePlan line_plan(const ConnectionConfig& connection, const Meters& meters) {
  config::LinePlan line;
  line.connection = connection.id;
  line.line = line_name(connection, meters);
  line.at = connection.at;
  line.fastest = Duration::max();
  const auto settings = serial_settings(connection, meter_baud(connection, meters));
  line.assumed_answer = connection.is_serial_port() ? kAssumedAnswer : kAssumedNetworkAnswer;

  for (const auto& client : connection.clients) {
    const auto setup = device_setup(connection, client, meters);
    config::LinePlan::DevicePlan device;
    device.client = client.id;
    device.points = setup.points.size();
    device.interval = setup.info.poll_interval;
    const auto groups = group_points(setup);
    for (const auto& group : groups) {
      double group_ms = 0;
      for (const auto& block : *group.blocks) {
        ++device.requests;
        device.registers += block.count;
        auto text =
            fmt::format("{} {}-{}", modbus::name(static_cast<modbus::Function>(block.space)),
                        block.first, block.first + block.count - 1);
        if (groups.size() > 1) {
          text += fmt::format(", every {}{}", for_people(group.interval),
                              group.alarm ? ", alarms" : "");
        }
        device.blocks.push_back(std::move(text));
        double cost = to_ms(line.assumed_answer) + to_ms(setup.pause);
        if (connection.is_serial_port()) {
          // ASCII sends two characters for each byte, and three more a frame.
          const auto sent =
              connection.type == LineType::ascii ? 2 * characters(block) + 2 : characters(block);
          cost += to_ms(link::wire_time(settings, sent)) + 2 * to_ms(link::t35(settings));
        }
        group_ms += cost;
      }
      device.cycle_ms += group_ms;
      line.load_percent += 100 * group_ms / to_ms(group.interval) / setup.in_flight;
    }
    line.requests += device.requests;
    line.cycle_ms += device.cycle_ms;
    line.fastest = std::min(line.fastest, device.interval);
    line.devices.push_back(std::move(device));
  }
  if (connection.clients.empty()) line.fastest = {};
  return line;
}

}  // namespace lightship::poller
