// A write in registers or coils, as a Modbus request: functions 5, 6, 15, 16, 22 and 23.
#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "codec/modbus/exception.h"
#include "codec/modbus/reply.h"
#include "sources/modbus/writer_pending.h"

namespace lightship::poller {
namespace {

using modbus::Exception;

std::unexpected<Error> refuse(Exception exception, std::string why) {
  return fail(Error{Errc::invalid, std::move(why), modbus::code(exception)});
}

}  // namespace

// The request in one form.
struct Writer::Raw {
  modbus::Request request;
  Space space = Space::holding;
  std::uint16_t first = 0;
  modbus::Laid laid;

  std::size_t end() const { return std::size_t{first} + laid.values.size(); }
  bool overlaps(const PlanPoint& where) const {
    return where.space == space && where.address < end() &&
           first < std::size_t{where.address} + where.count;
  }
  bool covers(const PlanPoint& where) const {
    return laid.is_whole() && first <= where.address &&
           std::size_t{where.address} + where.count <= end();
  }
  // A single register or coil may be written by either function.
  bool is_single() const {
    return laid.values.size() == 1 && !std::holds_alternative<modbus::MaskWrite>(request) &&
           !std::holds_alternative<modbus::ReadWrite>(request);
  }
  bool by_many() const {
    return std::holds_alternative<modbus::WriteCoils>(request) ||
           std::holds_alternative<modbus::WriteRegisters>(request);
  }

  // What a device says that has done it.
  ByteVector success() const {
    modbus::Reply reply{modbus::function_of(request), {}};
    if (const auto* mask = std::get_if<modbus::MaskWrite>(&request)) {
      reply.body = *mask;
    } else if (by_many()) {
      reply.body = modbus::Written{first, static_cast<std::uint16_t>(laid.values.size())};
    } else {
      const auto value = laid.values.front();
      reply.body = modbus::Written{
          first, space == Space::coils ? (value != 0 ? modbus::kCoilOn : std::uint16_t{0}) : value};
    }
    return modbus::encode(reply);
  }

  static Result<Raw> from(Bytes pdu) {
    auto request = modbus::decode_request(pdu);
    if (!request) {
      if (request.error().code != Errc::refused) return fail(request.error());
      return refuse(static_cast<Exception>(request.error().detail), request.error().text);
    }
    Raw raw;
    Words words;
    if (const auto* coil = std::get_if<modbus::WriteCoil>(&*request)) {
      raw.space = Space::coils;
      raw.first = coil->address;
      words = {coil->on ? std::uint16_t{1} : std::uint16_t{0}};
    } else if (const auto* coils = std::get_if<modbus::WriteCoils>(&*request)) {
      raw.space = Space::coils;
      raw.first = coils->address;
      for (std::size_t at = 0; at < coils->values.count; ++at)
        words.push_back(coils->values[at] ? 1 : 0);
    } else if (const auto* one = std::get_if<modbus::WriteRegister>(&*request)) {
      raw.first = one->address;
      words = {one->value};
    } else if (const auto* many = std::get_if<modbus::WriteRegisters>(&*request)) {
      raw.first = many->address;
      words = many->values;
    } else if (const auto* both = std::get_if<modbus::ReadWrite>(&*request)) {
      raw.first = both->write_address;
      words = both->values;
    } else if (const auto* mask = std::get_if<modbus::MaskWrite>(&*request)) {
      raw.first = mask->address;
      const auto own = static_cast<std::uint16_t>(~mask->and_mask);
      raw.laid = {{static_cast<std::uint16_t>(mask->or_mask & own)}, {own}};
    } else {
      return refuse(Exception::illegal_function, "function is no write");
    }
    if (raw.laid.values.empty()) raw.laid = modbus::laid_whole(std::move(words));
    raw.request = std::move(*request);
    return raw;
  }
};

Task<Result<ByteVector>> Writer::write_registers(DeviceId device, ByteVector pdu, std::string by,
                                                 Duration limit) {
  const auto target = std::ranges::find(targets_, device, &Target::id);
  if (target == targets_.end()) co_return fail(Errc::unavailable, "the device is not on this line");
  if (!tasks_) co_return fail(Errc::unavailable, "the line is not running now");
  const auto pending = std::make_shared<Pending<ByteVector>>(context_.executor);
  tasks_->spawn(
      take_raw(pending, *target, std::move(pdu), std::move(by), context_.clock.mono() + limit));
  boost::system::error_code woken;
  if (!pending->value)
    co_await pending->done.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (!pending->value) co_return fail(Errc::unavailable, "nobody waits for the write any more");
  co_return std::move(*pending->value);
}

Task<void> Writer::take_raw(std::shared_ptr<Pending<ByteVector>> pending, Target& target,
                            ByteVector pdu, std::string by, MonoTime deadline) {
  WriteStory story;
  story.by = std::move(by);
  story.device = target.setup.info.id();
  const auto begun = context_.clock.mono();
  Result<ByteVector> result = fail(
      Errc::unavailable, "the gateway stopped in the middle: whether it was written is not known");
  try {
    result = co_await raw_write(story, target, pdu, deadline);
  } catch (const boost::system::system_error& stopped) {
    if (stopped.code() != asio::error::operation_aborted) throw;
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await end(story, target, result ? nullptr : &result.error(), begun);
  // A guard's refusal is answered with its exception.
  if (!result && result.error().code == Errc::invalid && result.error().detail > 0)
    result.error().code = Errc::refused;
  pending->settle(std::move(result));
}

Task<Result<ByteVector>> Writer::raw_write(WriteStory& story, Target& target, const ByteVector& pdu,
                                           MonoTime deadline) {
  if (auto allowed = may_write(target); !allowed) co_return fail(allowed.error());
  const auto raw = Raw::from(pdu);
  if (!raw) co_return fail(raw.error());
  story.space = raw->space;
  story.first = raw->first;
  story.count = raw->laid.values.size();
  story.asked_words = raw->laid.values;

  std::vector<std::size_t> points;
  for (std::size_t which = 0; which < target.setup.points.size(); ++which) {
    const auto& point = target.setup.points[which];
    if (!raw->overlaps(point.where)) continue;
    if (!point.rule().writable.value_or(true)) {
      co_return refuse(Exception::illegal_address,
                       fmt::format("{} stands there, and says writable: false", point.name));
    }
    points.push_back(which);
  }
  auto recalling = recall();
  if (auto known = co_await std::move(recalling); !known) co_return fail(known.error());
  if (auto rate = not_too_often(target, points); !rate) co_return fail(rate.error());

  auto entering = target.turn.enter(context_.clock.mono());
  const auto turn = co_await std::move(entering);
  if (context_.clock.mono() >= deadline)
    co_return fail(Errc::timeout, "{} was busy with other writes: nothing was sent", story.device);
  if (auto rate = not_too_often(target, points); !rate) co_return fail(rate.error());
  if (auto good = co_await judge_points(target, *raw, points, deadline); !good)
    co_return fail(good.error());

  // The old values as they were last read: a master that waits should not wait for that too.
  ByteVector held;
  if (context_.cache.image(target.id).read(
          raw->space, raw->first, static_cast<std::uint32_t>(story.count),
          MonoTime::min() + std::chrono::nanoseconds(1), held) == RegisterImage::Outcome::ok) {
    for (std::size_t at = 0; at < story.count; ++at) {
      story.before_words.push_back(raw->space == Space::coils ? held[at / 8] >> (at % 8) & 1
                                                              : load_u16(held.data() + 2 * at));
    }
  }
  if (auto asked = co_await begin(story); !asked) co_return fail(asked.error());
  was_written(target, points);
  auto answer = co_await send_raw(story, target, *raw, deadline);
  if (!answer && (answer.error().code == Errc::refused || answer.error().code == Errc::unavailable))
    co_return answer;

  const std::size_t most =
      raw->space == Space::coils ? modbus::kMaxReadBits : target.setup.limits.max_registers;
  Result<Words> now = fail(Errc::invalid, "too many to be read back at once");
  if (story.count <= most) {
    auto reading = read(target, raw->space, raw->first, story.count, deadline);
    now = co_await std::move(reading);
  }
  if (now) {
    story.now_words = *now;
    publish(target, raw->space, raw->first, *now);
  } else if (answer && raw->laid.is_whole()) {
    publish(target, raw->space, raw->first, raw->laid.values);
  }
  if (!answer && now && raw->laid.is_in(*now) &&
      !std::holds_alternative<modbus::ReadWrite>(raw->request)) {
    story.note = "the answer was lost (" + answer.error().text + "); reading back shows it written";
    co_return raw->success();
  }
  if (answer && now && !raw->laid.is_in(*now)) story.note = "the device holds something else";
  co_return answer;
}

// Points with a range: what they would hold afterwards must be within it.
Task<Result<void>> Writer::judge_points(Target& target, const Raw& raw,
                                        const std::vector<std::size_t>& points, MonoTime deadline) {
  for (const auto which : points) {
    const auto& point = target.setup.points[which];
    if (!point.rule().is_guarded()) continue;
    const auto& where = point.where;
    Words words(where.count);
    if (!raw.covers(where)) {
      auto reading = read(target, where.space, where.address, where.count, deadline);
      const auto held = co_await std::move(reading);
      if (!held) {
        co_return refuse(Exception::illegal_value,
                         fmt::format("{} has a range, is written in part, and the rest cannot be "
                                     "read: {}",
                                     point.name, held.error().text));
      }
      words = *held;
    }
    for (std::size_t at = 0; at < raw.laid.values.size(); ++at) {
      const std::size_t address = raw.first + at;
      if (address < where.address || address >= std::size_t{where.address} + where.count) continue;
      auto& word = words[address - where.address];
      word = static_cast<std::uint16_t>((word & ~raw.laid.mask[at]) | raw.laid.values[at]);
    }
    auto scaling = power_of(target, point, deadline);
    const auto power = co_await std::move(scaling);
    if (!power) co_return refuse(Exception::illegal_value, power.error().text);
    const auto decoded = modbus::decode(point.spec, words, *power);
    if (decoded.why == modbus::Why::not_available || decoded.why == modbus::Why::invalid)
      co_return refuse(Exception::illegal_value,
                       point.name + " has a range, and this is no value of it");
    if (auto fits = check_rule(point.rule(), point.spec, decoded.value); !fits)
      co_return refuse(Exception::illegal_value, point.name + ": " + fits.error().text);
  }
  co_return Result<void>{};
}

Task<Result<ByteVector>> Writer::send_raw(WriteStory& story, Target& target, const Raw& raw,
                                          MonoTime deadline) {
  if (!raw.is_single()) co_return co_await send_one(story, target, raw.request, deadline);
  auto& learned = target.habits.by_many(raw.space);
  const bool many = learned.value_or(raw.by_many());
  const auto request = write_request(raw.space, raw.first, raw.laid.values, many);
  auto answer = co_await send_one(story, target, request, deadline);
  const bool unknown_function = !answer && answer.error().code == Errc::refused &&
                                answer.error().detail == modbus::code(Exception::illegal_function);
  if (unknown_function) {
    const auto another = write_request(raw.space, raw.first, raw.laid.values, !many);
    const auto second = co_await send_one(story, target, another, deadline);
    if (!second) co_return answer;
    learned = !many;
    log_.info("takes another write function", field("device", story.device),
              field("function", story.function));
    co_return raw.success();
  }
  // Answered in the words of the one who asked.
  if (answer && many != raw.by_many()) co_return raw.success();
  co_return answer;
}

}  // namespace lightship::poller
