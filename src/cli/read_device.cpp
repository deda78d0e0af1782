// Reads a configured device once, with the poller's own plan: through the running gateway, which
// has the line, or over the line itself.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include "app/app.h"
#include "base/hex.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "cli/control.h"
#include "cli/device_target.h"
#include "cli/read.h"
#include "cli/read_error.h"
#include "sources/modbus/asker.h"

namespace lightship::cli {

using namespace std::chrono_literals;

namespace {

struct Answers {
  bool connected = false;
  std::optional<Error> error;  // the first that is none of a single block
  std::vector<std::pair<poller::Block, Result<ByteVector>>> blocks;
  Duration took{};
};

// Where the device has its SunSpec models, its points are.
Task<Result<void>> find_models(poller::AskRegisters ask, DeviceTarget& target) {
  const auto chain = co_await poller::walk_sunspec(std::move(ask), target.setup.sunspec_bases);
  if (!chain && chain.error().code != Errc::timeout)
    co_return fail(Errc::unavailable, "{}", chain.error().text);
  if (!chain) co_return fail(chain.error());
  auto points = poller::resolve(target.setup.points, *chain);
  if (!points) co_return fail(Errc::unavailable, "{}", points.error().text);
  target.setup.points = std::move(*points);
  co_return Result<void>();
}

// The blocks to read, SunSpec models found. What cannot be found is said in the answers.
Task<std::vector<poller::Block>> plan_of(poller::AskRegisters ask, DeviceTarget& target,
                                         Answers& answers) {
  if (target.setup.is_sunspec()) {
    const auto found = co_await find_models(std::move(ask), target);
    if (!found) {
      answers.error = found.error();
      for (auto& point : target.setup.points.own()) point.where.count = 0;
    }
  }
  std::vector<poller::PlanPoint> points;
  for (const auto& point : target.setup.points) points.push_back(point.where);
  co_return poller::plan(points, target.setup.limits);
}

// Through the gateway that has the line.
Result<ByteVector> data_through(RunningGateway& gateway, const DeviceTarget& target, Space space,
                                std::uint16_t first, std::uint16_t count) {
  const auto limit = target.connection->timeout * (1 + target.connection->retries);
  const auto said = gateway.ask({{"do", "read"},
                                 {"device", target.setup.info.id()},
                                 {"function", static_cast<int>(space)},
                                 {"first", first},
                                 {"count", count},
                                 {"timeout_ms", limit / 1ms}},
                                limit + 2s);
  if (!said) return fail(said.error());
  boost::system::error_code wrong;
  const auto parsed = boost::json::parse(*said, wrong);
  const auto* object = wrong ? nullptr : parsed.if_object();
  const auto* data = object == nullptr ? nullptr : object->if_contains("data");
  if (data == nullptr || !data->is_string())
    return fail(Errc::malformed, "the running gateway gave no registers");
  return from_hex(data->get_string());
}

Task<Result<std::vector<std::uint16_t>>> words_through(RunningGateway& gateway,
                                                       const DeviceTarget& target, Space space,
                                                       std::uint16_t first, std::uint16_t count) {
  const auto data = data_through(gateway, target, space, first, count);
  if (!data) co_return fail(data.error());
  std::vector<std::uint16_t> words;
  for (std::size_t at = 0; at + 1 < data->size(); at += 2)
    words.push_back(load_u16(data->data() + at));
  co_return words;
}

Task<void> read_through(RunningGateway& gateway, DeviceTarget& target, Answers& answers) {
  const auto begun = steady_now();
  answers.connected = true;
  const poller::AskRegisters ask = [&](Space space, std::uint16_t first, std::uint16_t count) {
    return words_through(gateway, target, space, first, count);
  };
  auto blocks = co_await plan_of(ask, target, answers);
  for (auto& block : blocks) {
    auto answer = data_through(gateway, target, block.space, block.first, block.count);
    if (answer) answer->insert(answer->begin(), 2, 0);  // function and byte count, as on the wire
    const bool silent = !answer && answer.error().code != Errc::refused;
    if (silent) {
      answers.error = answer.error();
      answers.connected = answer.error().code != Errc::unavailable;
    }
    answers.blocks.emplace_back(std::move(block), std::move(answer));
    if (silent) break;
  }
  answers.took = std::chrono::duration_cast<Duration>(steady_now() - begun);
}

Task<void> read_blocks(asio::io_context& loop, Clock& clock, DeviceTarget& target,
                       Answers& answers) {
  auto opened =
      co_await poller::open_line(loop.get_executor(), clock, *target.connection, target.serial());
  if (!opened) {
    answers.error = opened.error();
    co_return;
  }
  answers.connected = true;
  auto& conversation = **opened;
  TaskGroup serving(loop.get_executor());
  serving.spawn(conversation.serve());
  const auto begun = clock.mono();
  const poller::Terms terms{target.setup.info.unit, target.connection->timeout, target.setup.pause,
                            target.setup.answers_as, 1 + target.connection->retries};
  const auto asker = poller::asker_over(conversation, terms);
  auto blocks = co_await plan_of(asker.registers, target, answers);
  for (auto& block : blocks) {
    Result<ByteVector> answer = fail(Errc::timeout, "not asked");
    for (unsigned attempt = 0; attempt <= target.connection->retries; ++attempt) {
      poller::Ask ask;
      ask.unit = target.setup.info.unit;
      ask.request =
          modbus::Read{static_cast<modbus::Function>(block.space), block.first, block.count};
      ask.patience = ask.limit = target.connection->timeout;
      ask.pause = target.setup.pause;
      ask.answers_as = target.setup.answers_as;
      poller::Tally tally;
      answer = co_await conversation.ask(std::move(ask), tally);
      if (answer || answer.error().code == Errc::refused || answer.error().code == Errc::closed)
        break;
    }
    const bool silent = !answer && answer.error().code != Errc::refused;
    if (silent) answers.error = answer.error();
    answers.blocks.emplace_back(std::move(block), std::move(answer));
    if (silent) break;
  }
  answers.took = std::chrono::duration_cast<Duration>(clock.mono() - begun);
  conversation.close();
  serving.cancel();
  co_await serving.join();
}

struct Row {
  std::string name, unit, reason, raw;
  Value value;
};

std::vector<std::uint16_t> registers_at(const Answers& answers, const poller::PlanPoint& where) {
  for (const auto& [block, answer] : answers.blocks) {
    if (!answer || block.space != where.space || where.address < block.first ||
        where.address + where.count > block.first + block.count) {
      continue;
    }
    const Bytes data = Bytes(*answer).subspan(2);
    const std::size_t offset = where.address - block.first;
    if (is_bits(where.space))
      return {static_cast<std::uint16_t>(data[offset / 8] >> (offset % 8) & 1)};
    std::vector<std::uint16_t> words;
    for (std::size_t i = 0; i < where.count; ++i)
      words.push_back(load_u16(data.data() + 2 * (offset + i)));
    return words;
  }
  return {};
}

std::string reason_at(const Answers& answers, const poller::PlanPoint& where) {
  for (const auto& [block, answer] : answers.blocks) {
    const bool inside = block.space == where.space && where.address >= block.first &&
                        where.address < block.first + block.count;
    if (inside && !answer)
      return to_string(poller::reason_of(answer.error()), answer.error().detail);
  }
  return "timeout";
}

std::vector<Row> rows_of(const DeviceTarget& target, const Answers& answers,
                         std::string_view only) {
  std::vector<Row> rows;
  for (const auto& point : target.setup.points) {
    if (!only.empty() && point.name != only) continue;
    Row row{point.name, point.unit, {}, {}, {}};
    const bool absent = point.where.count == 0;  // SunSpec: the device has no such point
    const auto words = absent ? std::vector<std::uint16_t>() : registers_at(answers, point.where);
    if (absent) {
      row.reason = "not_available";
    } else if (words.empty()) {
      row.reason = reason_at(answers, point.where);
    } else {
      for (const auto word : words)
        row.raw += fmt::format("{}{:04x}", row.raw.empty() ? "" : " ", word);
      std::optional<std::int16_t> power;
      for (const auto& other : target.setup.points) {
        if (point.scale_register.empty() || other.name != point.scale_register) continue;
        const auto scale = registers_at(answers, other.where);
        if (!scale.empty()) power = static_cast<std::int16_t>(scale.front());
      }
      auto decoded = modbus::decode(point.spec, words, power);
      row.value = std::move(decoded.value);
      if (decoded.why == modbus::Why::out_of_range)
        row.reason = "out_of_range";
      else if (decoded.why != modbus::Why::none)
        row.reason = "not_available";
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void print(const DeviceTarget& target, const Answers& answers, const std::vector<Row>& rows,
           bool as_json) {
  if (as_json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object()
        .member("device", target.setup.info.id())
        .member("unit", static_cast<int>(target.setup.info.unit));
    json.key("points").begin_object();
    for (const auto& row : rows) {
      json.key(row.name).begin_object().key("value");
      if (row.reason.empty())
        json.value(row.value);
      else
        json.null();
      json.member("unit", row.unit).member("quality", row.reason.empty() ? "good" : "bad");
      if (!row.reason.empty()) json.member("reason", row.reason);
      json.key("registers").begin_array();
      for (const auto word : split(row.raw, ' ')) {
        if (!word.empty()) json.value(word);
      }
      json.end_array().end_object();
    }
    json.end_object();
    json.key("duration_ms").value(Real{to_ms(answers.took), 3});
    json.end_object();
    fmt::print("{}\n", text);
    return;
  }
  std::size_t width = 5;
  for (const auto& row : rows) width = std::max(width, row.name.size());
  for (const auto& row : rows) {
    fmt::print("{:<{}}  {:>14} {:<6} {:<14} {}\n", row.name, width,
               row.reason.empty() ? to_text(row.value) : "-", row.unit,
               row.reason.empty() ? "good" : row.reason, row.raw);
  }
  fmt::print("{}: {} in {}\n", target.setup.info.id(), counted(answers.blocks.size(), "request"),
             for_people(answers.took));
}

int usage(const std::string& text) {
  fmt::print(stderr, "lightship read: {}\n", text);
  return app::kUsage;
}

}  // namespace

int read_device(const ReadDeviceOptions& options) {
  int status = app::kFine;
  const auto found = find_device(options.config_dir, options.device, "read", status);
  if (!found) return status;
  auto& target = *found;
  if (!options.point.empty()) {
    if (target.point(options.point) == nullptr) return usage(target.no_point(options.point));
    // Only what is asked for, and the scale it may need.
    std::vector<std::string> wanted{options.point};
    for (const auto& point : target.setup.points) {
      if (point.name != options.point) continue;
      wanted.push_back(point.scale_register);
      for (const auto& place : point.sunspec) wanted.push_back(place.scale_register);
    }
    std::erase_if(target.setup.points.own(), [&](const auto& point) {
      return std::ranges::find(wanted, point.name) == wanted.end();
    });
  }

  Answers answers;
  asio::io_context loop(1);
  SystemClock clock;
  auto gateway = RunningGateway::find(options.config_dir);
  auto reading =
      gateway ? read_through(*gateway, target, answers) : read_blocks(loop, clock, target, answers);
  asio::co_spawn(loop, std::move(reading), [](std::exception_ptr why) {
    if (why) std::rethrow_exception(why);
  });
  loop.run();
  if (answers.error) return tell_read_error(*answers.error, answers.connected, options.json);
  const auto rows = rows_of(target, answers, options.point);
  print(target, answers, rows, options.json);
  for (const auto& [block, answer] : answers.blocks) {
    if (!answer) return app::kTemporary;
  }
  return app::kFine;
}

}  // namespace lightship::cli
