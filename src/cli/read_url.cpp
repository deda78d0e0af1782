// Reads registers or bits over a line given as a URL.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "app/app.h"
#include "base/hex.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "cli/read.h"
#include "cli/read_error.h"
#include "codec/modbus/decode_value.h"
#include "sources/modbus/line_url.h"
#include "sources/modbus/setup.h"

namespace lightship::cli {
namespace {

struct Wanted {
  poller::ConnectionConfig line;
  Space space{};
  std::uint8_t unit = 1;
  unsigned address = 0, count = 0;
  unsigned step = 125;  // elements in one request; whole values
  Duration timeout{};
};

struct Got {
  bool connected = false;
  Result<ByteVector> data = fail(Errc::timeout, "not asked");
  Duration took{};
};

Task<void> read_all(asio::io_context& loop, Clock& clock, const Wanted& wanted, Got& got) {
  auto opened = co_await poller::open_line(loop.get_executor(), clock, wanted.line,
                                           poller::serial_settings(wanted.line, {}));
  if (!opened) {
    got.data = fail(opened.error());
    co_return;
  }
  got.connected = true;
  auto& conversation = **opened;
  TaskGroup serving(loop.get_executor());
  serving.spawn(conversation.serve());
  const auto begun = clock.mono();
  ByteVector all;
  Result<ByteVector> outcome = ByteVector{};
  for (unsigned done = 0; done < wanted.count && outcome;) {
    const auto part = std::min(wanted.step, wanted.count - done);
    poller::Ask ask;
    ask.unit = wanted.unit;
    ask.request = modbus::Read{static_cast<modbus::Function>(wanted.space),
                               static_cast<std::uint16_t>(wanted.address + done),
                               static_cast<std::uint16_t>(part)};
    ask.patience = ask.limit = wanted.timeout;
    poller::Tally tally;
    outcome = co_await conversation.ask(std::move(ask), tally);
    if (outcome) all.insert(all.end(), outcome->begin() + 2, outcome->end());
    done += part;
  }
  got.took = std::chrono::duration_cast<Duration>(clock.mono() - begun);
  got.data = outcome ? Result<ByteVector>(std::move(all)) : outcome;
  conversation.close();
  serving.cancel();
  co_await serving.join();
}

void print(const ReadUrlOptions& options, const Wanted& wanted, const Got& got,
           const modbus::PointSpec& spec) {
  const auto& data = *got.data;
  const bool bits = is_bits(wanted.space);
  std::vector<Value> values;
  std::vector<std::uint16_t> words;
  if (bits) {
    for (unsigned i = 0; i < wanted.count; ++i)
      values.emplace_back((data[i / 8] >> (i % 8) & 1) != 0);
  } else {
    for (std::size_t i = 0; i + 1 < data.size(); i += 2) words.push_back(load_u16(data.data() + i));
    for (std::size_t i = 0; i + spec.count <= words.size(); i += spec.count) {
      values.push_back(modbus::decode(spec, std::span(words).subspan(i, spec.count)).value);
    }
  }
  if (options.json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object()
        .member("unit", static_cast<int>(wanted.unit))
        .member("function", static_cast<int>(wanted.space));
    json.member("address", wanted.address);
    if (bits) {
      json.key("bits").begin_array();
      for (const auto& value : values) json.value(std::get<bool>(value) ? 1 : 0);
      json.end_array();
    } else {
      json.key("registers").begin_array();
      for (const auto word : words) json.value(fmt::format("{:04x}", word));
      json.end_array();
    }
    json.key("values").begin_array();
    for (const auto& value : values) {
      if (bits)
        json.value(std::get<bool>(value) ? 1 : 0);
      else
        json.value(value);
    }
    json.end_array();
    json.key("duration_ms").value(Real{to_ms(got.took), 3});
    json.end_object();
    fmt::print("{}\n", text);
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (bits) {
      fmt::print("{:>6}  {}\n", wanted.address + i, std::get<bool>(values[i]) ? 1 : 0);
      continue;
    }
    std::string raw;
    for (std::size_t word = 0; word < spec.count; ++word)
      raw += fmt::format("{:04x} ", words[i * spec.count + word]);
    fmt::print("{:>6}  {:<20} {}\n", wanted.address + i * spec.count, raw, to_text(values[i]));
  }
  fmt::print("{} from unit {} in {}\n", counted(wanted.count, bits ? "bit" : "register"),
             wanted.unit, for_people(got.took));
}

int wrong(std::string_view text) {
  fmt::print(stderr, "lightship read: {}\n", text);
  return app::kUsage;
}

}  // namespace

int read_url(const ReadUrlOptions& options) {
  auto line = poller::parse_line_url(options.url);
  if (!line) return wrong(line.error().text);
  Wanted wanted{std::move(*line),
                {},
                static_cast<std::uint8_t>(options.unit),
                options.address,
                options.count,
                125,
                options.timeout};
  wanted.line.timeout = options.timeout;
  if (options.function == "coil")
    wanted.space = Space::coils;
  else if (options.function == "discrete")
    wanted.space = Space::discrete_inputs;
  else if (options.function == "input")
    wanted.space = Space::input;
  else
    wanted.space = Space::holding;
  if (options.count == 0 || options.address + options.count > 65536) {
    return wrong(fmt::format("--at {} --count {} is no range within 0 to 65535", options.address,
                             options.count));
  }

  modbus::PointSpec spec;
  const auto type = modbus::parse_data_type(options.type.empty() ? "uint16" : options.type);
  if (!type) {
    const auto meant = nearest(options.type, modbus::data_type_names());
    return wrong(fmt::format("'{}' is not a data type{}; known are {}", options.type,
                             meant ? fmt::format(" (did you mean {}?)", *meant) : "",
                             join(modbus::data_type_names(), ", ")));
  }
  const auto order = modbus::parse_byte_order(options.order);
  if (!order) return wrong(order.error().text);
  spec.type = *type;
  spec.order = *order;
  const bool bits = is_bits(wanted.space);
  if (!bits) {
    // A text, or a type of any length, takes all that is read as one value.
    spec.count = modbus::registers_of(*type) > 0 ? modbus::registers_of(*type)
                                                 : static_cast<std::uint16_t>(options.count);
    if (!modbus::allows_count(*type, spec.count)) {
      return wrong(fmt::format("{} takes {} registers, not {}", options.type,
                               modbus::allowed_counts(*type), options.count));
    }
    if (options.count % spec.count != 0) {
      return wrong(fmt::format("--count {} is not a multiple of the {} registers of a {}",
                               options.count, spec.count, options.type));
    }
  }
  wanted.step = bits ? 2000 : 125 / spec.count * spec.count;

  asio::io_context loop(1);
  SystemClock clock;
  Got got;
  asio::co_spawn(loop, read_all(loop, clock, wanted, got), [](std::exception_ptr why) {
    if (why) std::rethrow_exception(why);
  });
  loop.run();
  if (!got.data) return tell_read_error(got.data.error(), got.connected, options.json);
  print(options, wanted, got, spec);
  return app::kFine;
}

}  // namespace lightship::cli
