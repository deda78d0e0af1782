// Tries settings until the frames make sense.
#include "sources/modbus/rate_finder.h"

#include <algorithm>

#include "base/text.h"

namespace lightship::poller {
namespace {

// How often rates are met in the field: 9600 and 19200 are what the standard and most meters leave
// the factory with, 2400 some Eastron, 115200 drives and inverters.
constexpr unsigned kRates[] = {9600, 19200, 115200, 38400, 2400, 57600, 4800, 1200};
constexpr link::Parity kParities[] = {link::Parity::none, link::Parity::even, link::Parity::odd};

// So many bytes without a single good frame: the setting is wrong.
constexpr std::size_t kHopeless = 64;
constexpr std::size_t kEnoughFrames = 4;

// What was heard at one setting.
struct Heard {
  std::size_t frames = 0, pairs = 0, requests = 0, damaged = 0, noise = 0, bytes = 0;
  std::uint64_t errors = 0;

  void take(const modbus::Overheard& heard) {
    bytes += heard.bytes.size();
    if (heard.is_frame()) {
      ++frames;
      if (heard.kind == modbus::Overheard::Kind::request) ++requests;
      if (heard.answer_time) ++pairs;
    } else if (heard.kind == modbus::Overheard::Kind::damaged) {
      ++damaged;
    } else {
      noise += heard.bytes.size();
    }
  }
  bool enough() const { return frames >= kEnoughFrames && pairs >= 1; }
  bool hopeless() const { return frames == 0 && bytes >= kHopeless; }
  // A frame weighs what ten bytes out of place do.
  double worth() const {
    return static_cast<double>(frames) + static_cast<double>(pairs) -
           0.1 * static_cast<double>(noise) - 0.5 * static_cast<double>(damaged) -
           0.1 * static_cast<double>(errors);
  }
};

Task<Result<Heard>> listen_at(const OpenPort& open, Clock& clock,
                              const link::SerialSettings& settings, Framing framing,
                              Duration at_each, MonoTime end) {
  auto port = open(settings);
  if (!port) co_return fail(port.error());
  const auto listener = make_listener(framing, &settings);
  Heard heard;
  const TakeHeard take = [&heard](const modbus::Overheard& one) { heard.take(one); };
  const auto origin = clock.mono();
  auto until = std::min<MonoTime>(origin + at_each, end);
  // In short pieces, to stop as soon as it is clear.
  while (clock.mono() < until && !heard.enough() && !heard.hopeless()) {
    const auto piece = std::min<MonoTime>(clock.mono() + std::chrono::milliseconds(200), until);
    auto ended = co_await listen(*port->line, clock, *listener, origin, piece, take);
    if (ended.code != Errc::timeout) co_return fail(std::move(ended));
    // On a quiet line every setting is as good as the next: this one goes on.
    if (heard.bytes == 0)
      until = end;
    else if (until == end)
      until = std::min<MonoTime>(clock.mono() + at_each, end);
  }
  if (port->errors) {
    const auto errors = port->errors();
    heard.errors = errors.frame + errors.parity;
  }
  co_return heard;
}

}  // namespace

OpenPort port_opener(asio::any_io_executor executor, Clock& clock) {
  return [executor, &clock](const link::SerialSettings& settings) -> Result<OpenedPort> {
    auto line = link::open_serial(executor, clock, settings);
    if (!line) return fail(std::move(line.error()));
    OpenedPort opened;
    opened.notes = (*line)->notes();
    opened.errors = [port = line->get()] { return port->errors(); };
    opened.line = std::move(*line);
    return opened;
  };
}

std::vector<link::SerialSettings> likely_settings(const link::SerialSettings& base, Unknown unknown,
                                                  Framing framing) {
  std::vector<link::SerialSettings> settings;
  const auto add = [&](unsigned baud, link::Parity parity, int data_bits) {
    auto one = base;
    one.baud = baud;
    one.parity = parity;
    one.data_bits = data_bits;
    settings.push_back(std::move(one));
  };
  const auto add_parities = [&](unsigned baud) {
    if (!unknown.parity) return add(baud, base.parity, base.data_bits);
    // ASCII is 7E1 by the standard and 8N1 in many devices.
    if (framing == Framing::ascii) add(baud, link::Parity::even, 7);
    for (const auto parity : kParities) {
      if (parity == link::Parity::odd) continue;
      add(baud, parity, 8);
    }
  };
  if (!unknown.baud) {
    add_parities(base.baud);
  } else {
    for (const auto baud : kRates) add_parities(baud);
  }
  // Odd parity is rare: after everything else.
  if (unknown.parity) {
    if (unknown.baud)
      for (const auto baud : kRates) add(baud, link::Parity::odd, 8);
    else
      add(base.baud, link::Parity::odd, 8);
  }
  return settings;
}

std::string describe(const RateFound& found) {
  if (!found.settings) {
    if (found.bytes == 0) return "no byte was heard";
    return fmt::format("{} were heard, and no frame with a good check at any of {}",
                       counted(found.bytes, "byte"), counted(found.tried, "setting"));
  }
  std::string text = fmt::format("{}: {} with a good check", link::describe(*found.settings),
                                 counted(found.frames, "frame"));
  if (found.pairs > 0)
    text += fmt::format(", {} to what was asked", counted(found.pairs, "answer"));
  if (found.damaged > 0) text += fmt::format(", {} damaged", found.damaged);
  if (found.line_errors > 0)
    text += fmt::format(", {} counted by the driver", counted(found.line_errors, "line error"));
  return text + (found.certain() ? "; certain" : "; likely");
}

Task<Result<RateFound>> find_rate_by_listening(
    const OpenPort& open, Clock& clock, std::vector<link::SerialSettings> candidates,
    Framing framing, ListenPlan plan, std::function<void(const link::SerialSettings&)> told) {
  const auto end = clock.mono() + plan.at_most;
  RateFound found;
  std::optional<Heard> best;
  while (clock.mono() < end && !(best && best->enough() && best->errors == 0)) {
    for (const auto& settings : candidates) {
      if (clock.mono() >= end) break;
      if (told) told(settings);
      auto heard = co_await listen_at(open, clock, settings, framing, plan.at_each, end);
      if (!heard) co_return fail(heard.error());
      ++found.tried;
      found.bytes += heard->bytes;
      if (heard->frames == 0 || (best && heard->worth() <= best->worth())) continue;
      best = *heard;
      found.settings = settings;
      if (best->enough() && best->errors == 0 && best->worth() > 0) break;
    }
    if (found.bytes == 0 || best) break;  // silent all the time, or every setting had its turn
  }
  if (best) {
    found.frames = best->frames;
    found.pairs = best->pairs;
    found.requests = best->requests;
    found.damaged = best->damaged;
    found.line_errors = best->errors;
  }
  co_return found;
}

}  // namespace lightship::poller
