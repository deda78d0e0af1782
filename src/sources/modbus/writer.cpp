// What every write has in common: its turn, its lines in the audit, sending and reading back.
#include "sources/modbus/writer.h"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "codec/modbus/exception.h"
#include "codec/modbus/reply.h"
#include "sources/modbus/past_writes.h"
#include "sources/modbus/writer_pending.h"

namespace lightship::poller {

using namespace std::chrono_literals;

namespace {

// A busy device (exception 6) has not done it and is asked again after this long, so many times.
constexpr Duration kBusyPause = 100ms;
constexpr int kBusyTries = 5;
constexpr int kReadTries = 2;

}  // namespace

Writer::Target::Target(Context& context, DeviceId device, const DeviceSetup& what)
    : id(device), setup(what), turn(context.executor), rate(what.max_writes_per_minute) {}

Writer::Writer(Context& context, WriteLine& line, const std::string& connection)
    : context_(context), line_(line), log_(context.logbook, "modbus/" + connection) {}

Writer::~Writer() {
  for (const auto& target : targets_)
    context_.owners.leave(target.id, static_cast<const RegisterWriter&>(*this));
}

void Writer::add(DeviceId device, const DeviceSetup& setup) {
  targets_.emplace_back(context_, device, setup);
  context_.owners.enter(device, static_cast<RegisterWriter&>(*this));
}

void Writer::start() {
  tasks_ = std::make_unique<TaskGroup>(context_.executor);
  telling_ = false;
}

Task<void> Writer::stop() {
  if (!tasks_) co_return;
  tasks_->cancel();
  co_await tasks_->join();
  tasks_.reset();
  co_await tell_what_may_be_told();
}

Result<void> Writer::may_write(const Target& target) const {
  const auto& info = target.setup.info;
  if (!target.setup.allow_write) {
    return fail(Error{Errc::invalid,
                      fmt::format("{} does not allow writes: they are off unless its entry in "
                                  "slave_config.yaml says allow_write: true",
                                  info.id()),
                      kWriteNotAllowed});
  }
  if (info.unit == 0) {
    return fail(Error{Errc::invalid,
                      fmt::format("{} has unit_id 0, and a write to unit 0 is a broadcast to every "
                                  "device of a line: never sent",
                                  info.id()),
                      kWriteNotAllowed});
  }
  return {};
}

Task<Result<void>> Writer::recall() {
  if (recalled_ || context_.audit == nullptr) co_return Result<void>{};
  const auto now = context_.clock.now();
  const auto past = std::make_shared<PastWrites>(now);
  for (const auto& target : targets_) past->watch(target.setup);
  if (past->since() < now) {
    auto reading = context_.audit->read_back(past->since(),
                                             [past](std::string_view line) { past->take(line); });
    const auto read = co_await std::move(reading);
    if (!read) co_return fail(Errc::unavailable, "nothing was sent, because {}", read.error().text);
  }
  if (std::exchange(recalled_, true)) co_return Result<void>{};
  const auto mono_of = [mono = context_.clock.mono(), now](Time at) { return mono - (now - at); };
  for (const auto& device : past->devices()) {
    const auto target = std::ranges::find_if(
        targets_, [&](const Target& one) { return one.setup.info.id() == device.id; });
    for (const auto& [which, at] : device.written) target->written[which] = mono_of(at);
    for (const auto at : device.recent) target->rate.written(mono_of(at));
  }
  co_return Result<void>{};
}

Result<void> Writer::not_too_often(Target& target, const std::vector<std::size_t>& points) {
  const auto now = context_.clock.mono();
  const auto busy = [](std::string text) {
    return fail(Error{Errc::invalid, std::move(text), kWriteTooOften});
  };
  if (target.turn.waiting() >= kWaiting)
    return busy(fmt::format("{} writes wait for {} already", kWaiting, target.setup.info.id()));
  if (const auto wait = target.rate.wait(now)) {
    return busy(
        fmt::format("{} was written {} times within a minute (max_writes_per_minute); the "
                    "next write may go in {}",
                    target.setup.info.id(), target.setup.max_writes_per_minute, for_people(*wait)));
  }
  for (const auto which : points) {
    const auto known = target.written.find(which);
    if (known == target.written.end()) continue;
    const auto& point = target.setup.points[which];
    const auto next = known->second + point.rule().min_interval;
    if (next <= now) continue;
    return busy(
        fmt::format("{} may be written once in {} (min_write_interval); the next write may "
                    "go in {}",
                    point.name, for_people(point.rule().min_interval), for_people(next - now)));
  }
  return {};
}

void Writer::was_written(Target& target, const std::vector<std::size_t>& points) {
  const auto now = context_.clock.mono();
  target.rate.written(now);
  for (const auto which : points) {
    if (target.setup.points[which].rule().min_interval > Duration{}) target.written[which] = now;
  }
}

Task<Result<void>> Writer::begin(WriteStory& story) {
  if (context_.audit == nullptr)
    co_return fail(Errc::unavailable, "there is no audit, and nothing is written without it");
  story.id = context_.audit->next_id();
  auto asked = context_.audit->record(
      "write", [&](JsonWriter& json) { story.tell_asked(json); }, Audit::Durability::synced);
  auto kept = co_await std::move(asked);
  if (!kept) {
    co_return fail(Errc::unavailable, "nothing was sent, because {}", kept.error().text);
  }
  story.begun = true;
  co_return Result<void>{};
}

Task<void> Writer::end(WriteStory& story, Target& target, const Error* trouble, MonoTime begun) {
  const auto now = context_.clock.mono();
  story.took = std::chrono::duration_cast<Duration>(now - begun);
  const auto outcome = outcome_of(story, trouble);
  ++context_.metrics.counter(
      "modbus_writes_total", "writes to a device, by their end",
      {{"device", target.setup.info.id()}, {"outcome", std::string(outcome)}});
  if (trouble == nullptr) {
    log_.info("written", field("what", story.target()), field("by", story.by),
              field("old", to_text(story.before)), field("new", to_text(story.asked)),
              field("ms", to_ms(story.took)));
  } else {
    log_.warn(outcome == "refused" ? "write refused" : "write failed",
              field("what", story.target()), field("by", story.by), field("why", trouble->text));
  }
  if (context_.audit == nullptr) co_return;
  if (!story.begun) {
    co_await context_.audit->recall_refusals();
    if (trouble != nullptr && !refused_.may_tell(story, *trouble, context_.audit->refusals(),
                                                 context_.clock.now(), context_.clock.mono())) {
      if (tasks_ && !std::exchange(telling_, true)) tasks_->spawn(tell_counted());
      co_return;
    }
    if (story.id.empty()) story.id = context_.audit->next_id();
  }
  auto ended = context_.audit->record(
      "write", [&](JsonWriter& json) { story.tell_end(json, trouble); }, Audit::Durability::kept);
  (void)co_await std::move(ended);  // the audit has logged what went wrong with it
}

Task<void> Writer::tell_counted() {
  while (refused_.owes()) {
    co_await context_.clock.sleep_for(RefusalTally::kEach);
    co_await tell_what_may_be_told();
  }
  telling_ = false;
}

Task<void> Writer::tell_what_may_be_told() {
  if (context_.audit == nullptr) co_return;
  while (const auto counted = refused_.next(context_.audit->refusals(), context_.clock.mono())) {
    auto telling = context_.audit->record(
        "writes-refused", [&](JsonWriter& json) { tell(json, *counted); }, Audit::Durability::told);
    (void)co_await std::move(telling);
  }
}

Task<Result<Words>> Writer::read(Target& target, Space space, std::uint16_t first,
                                 std::size_t count, MonoTime deadline) {
  const modbus::Request request =
      modbus::Read{static_cast<modbus::Function>(space), first, static_cast<std::uint16_t>(count)};
  Result<ByteVector> answer = fail(Errc::timeout, "there was no time left to read");
  for (int attempt = 0; attempt < kReadTries; ++attempt) {
    const auto left = std::chrono::duration_cast<Duration>(deadline - context_.clock.mono());
    if (left <= Duration{}) break;
    auto asked = line_.ask_for(target.id, request, left);
    answer = co_await std::move(asked);
    if (answer || (answer.error().code != Errc::timeout && answer.error().code != Errc::crc &&
                   answer.error().code != Errc::malformed)) {
      break;
    }
  }
  if (!answer) co_return fail(answer.error());
  const auto reply = modbus::decode_reply(request, *answer);
  if (!reply) co_return fail(reply.error());
  if (!is_bits(space)) co_return reply->registers();
  Words bits(count);
  for (std::size_t at = 0; at < count; ++at) bits[at] = reply->bits()[at] ? 1 : 0;
  co_return bits;
}

Task<Result<std::optional<std::int16_t>>> Writer::power_of(Target& target, const DevicePoint& point,
                                                           MonoTime deadline) {
  std::optional<std::int16_t> power;
  if (point.scale_register.empty()) co_return power;
  const auto& points = target.setup.points;
  const auto scale = std::ranges::find(points, point.scale_register, &DevicePoint::name);
  if (scale == points.end())
    co_return fail(Errc::invalid, "its scale_register {} is not read", point.scale_register);
  auto reading = read(target, scale->where.space, scale->where.address, 1, deadline);
  const auto words = co_await std::move(reading);
  if (!words) co_return within("reading " + scale->name + ", the scale", words.error());
  power = static_cast<std::int16_t>(words->front());
  co_return power;
}

Task<Result<ByteVector>> Writer::send_one(WriteStory& story, Target& target,
                                          const modbus::Request& request, MonoTime deadline) {
  story.function = modbus::code(modbus::function_of(request));
  for (int attempt = 1;; ++attempt) {
    const auto left = std::chrono::duration_cast<Duration>(deadline - context_.clock.mono());
    if (left <= Duration{})
      co_return fail(Errc::unavailable, "there was no time left to write: nothing was sent");
    auto asked = line_.ask_for(target.id, request, left);
    auto answer = co_await std::move(asked);
    // Told to stop while it was under way: whatever this answer says, it may have been done.
    const auto told = co_await asio::this_coro::cancellation_state;
    if (told.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
    const bool busy = !answer && answer.error().code == Errc::refused &&
                      answer.error().detail == modbus::code(modbus::Exception::busy);
    if (!busy || attempt == kBusyTries) co_return answer;
    co_await context_.clock.sleep_for(kBusyPause * attempt);
  }
}

// What the house knows of the device is what was read back, at once.
void Writer::publish(Target& target, Space space, std::uint16_t first, const Words& words) {
  ByteVector data;
  if (is_bits(space)) {
    data.resize(modbus::packed_size(words.size()));
    for (std::size_t at = 0; at < words.size(); ++at)
      data[at / 8] = static_cast<std::uint8_t>(data[at / 8] | (words[at] != 0) << (at % 8));
  } else {
    for (const auto word : words) put_u16(data, word);
  }
  const auto now = context_.clock.mono();
  context_.cache.image(target.id).patch(space, first, static_cast<std::uint16_t>(words.size()),
                                        data, now);

  Readings readings;
  const auto& points = context_.catalog.points(target.id);
  for (std::size_t which = 0; which < target.setup.points.size() && which < points.size();
       ++which) {
    const auto& point = target.setup.points[which];
    const auto& where = point.where;
    if (where.space != space || where.address < first ||
        std::size_t{where.address} + where.count > first + words.size() ||
        !point.scale_register.empty()) {
      continue;
    }
    const auto decoded = modbus::decode(
        point.spec, std::span(words).subspan(where.address - std::size_t{first}, where.count));
    const auto reason = decoded.why == modbus::Why::none           ? Reason::none
                        : decoded.why == modbus::Why::out_of_range ? Reason::out_of_range
                                                                   : Reason::not_available;
    readings.readings.push_back({points[which], decoded.value, reason, 0});
  }
  if (readings.readings.empty()) return;
  readings.device = target.id;
  readings.at = context_.clock.now();
  readings.arrived = now;
  readings.poll = context_.cache.device(target.id).poll;
  readings.online = true;
  context_.bus.publish(std::move(readings));
}

}  // namespace lightship::poller
