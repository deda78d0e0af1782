// A write by name, from the judgement to the reading back.
#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "base/text.h"
#include "codec/modbus/exception.h"
#include "sources/modbus/writer_pending.h"

namespace lightship::poller {

using namespace std::chrono_literals;

namespace {

// Some devices take a write and show it a moment later.
constexpr Duration kSettle = 50ms;
constexpr int kLooks = 4;
// A device that has said "accepted, takes long" (exception 5) is looked at this often.
constexpr Duration kSlowLook = 250ms;

bool is_accepted(const Error& error) {
  return error.code == Errc::refused &&
         error.detail == modbus::code(modbus::Exception::acknowledge);
}

std::unexpected<Error> bad_value(Error error) {
  error.detail = kWriteBadValue;
  return fail(std::move(error));
}

// It was not done: the device said so, or nothing was sent.
bool is_certain(const Error& error) {
  return error.code == Errc::refused || error.code == Errc::unavailable;
}

}  // namespace

Task<Result<Written>> Writer::write_point(DeviceId device, PointWrite write, Duration limit) {
  const auto target = std::ranges::find(targets_, device, &Target::id);
  if (target == targets_.end()) co_return fail(Errc::unavailable, "the device is not on this line");
  if (!tasks_) co_return fail(Errc::unavailable, "the line is not running now");
  const auto pending = std::make_shared<Pending<Written>>(context_.executor);
  tasks_->spawn(take_point(pending, *target, std::move(write), context_.clock.mono() + limit));
  boost::system::error_code woken;
  if (!pending->value)
    co_await pending->done.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (!pending->value) co_return fail(Errc::unavailable, "nobody waits for the write any more");
  co_return std::move(*pending->value);
}

Task<void> Writer::take_point(std::shared_ptr<Pending<Written>> pending, Target& target,
                              PointWrite write, MonoTime deadline) {
  WriteStory story;
  story.by = write.by;
  story.device = target.setup.info.id();
  story.point = context_.catalog.info(write.point).name.str();
  story.expected = write.expected;
  story.asked = write.value;
  const auto begun = context_.clock.mono();
  Result<Written> result = fail(
      Errc::unavailable, "the gateway stopped in the middle: whether it was written is not known");
  try {
    result = co_await point_write(story, target, write, deadline);
  } catch (const boost::system::system_error& stopped) {
    if (stopped.code() != asio::error::operation_aborted) throw;
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await end(story, target, result ? nullptr : &result.error(), begun);
  if (result) result->took = story.took;
  pending->settle(std::move(result));
}

Task<Result<Written>> Writer::point_write(WriteStory& story, Target& target,
                                          const PointWrite& write, MonoTime deadline) {
  // Judged by what the configuration says.
  if (auto allowed = may_write(target); !allowed) co_return fail(allowed.error());
  const auto found = std::ranges::find(target.setup.points, story.point, &DevicePoint::name);
  if (found == target.setup.points.end())
    co_return fail(Errc::invalid, "{} has no point '{}' in registers", story.device, story.point);
  const DevicePoint& point = *found;
  const std::vector which{static_cast<std::size_t>(found - target.setup.points.begin())};
  story.space = point.where.space;
  story.first = point.where.address;
  story.count = point.where.count;
  if (point.where.space != Space::coils && point.where.space != Space::holding) {
    co_return fail(Errc::invalid,
                   "{} is read with function {}, and such registers cannot be written", story.point,
                   static_cast<int>(point.where.space));
  }
  if (!point.rule().writable.value_or(false)) {
    co_return fail(
        Error{Errc::invalid,
              fmt::format("{} is not writable: its register says no writable: true", story.point),
              kWriteNotAllowed});
  }
  if (!point.sunspec.empty()) {
    co_return fail(Error{Errc::invalid,
                         fmt::format("{} is found by walking the SunSpec models of the device, and "
                                     "such a point cannot be written by name: give it a register "
                                     "of its own",
                                     story.point),
                         kWriteNotAllowed});
  }
  auto value = value_for(point.spec, write.value);
  if (!value) co_return bad_value(value.error());
  story.asked = *value;
  if (auto fits = check_rule(point.rule(), point.spec, *value); !fits)
    co_return bad_value(fits.error());
  if (point.scale_register.empty()) {
    if (auto laid = lay_exactly(point.spec, *value, std::nullopt); !laid)
      co_return bad_value(laid.error());
  }
  std::optional<Value> expected;
  if (write.expected) {
    auto understood = value_for(point.spec, *write.expected);
    if (!understood) co_return bad_value(within("the expected value", understood.error()).error());
    story.expected = expected = *understood;
  }
  auto recalling = recall();
  if (auto known = co_await std::move(recalling); !known) co_return fail(known.error());
  if (auto rate = not_too_often(target, which); !rate) co_return fail(rate.error());

  auto entering = target.turn.enter(context_.clock.mono());
  const auto turn = co_await std::move(entering);
  if (context_.clock.mono() >= deadline)
    co_return fail(Errc::timeout, "{} was busy with other writes: nothing was sent", story.device);
  if (auto rate = not_too_often(target, which); !rate) co_return fail(rate.error());

  // Judged by what the device holds.
  auto scaling = power_of(target, point, deadline);
  const auto power = co_await std::move(scaling);
  if (!power) co_return within("nothing was sent", power.error());
  auto laid = lay_exactly(point.spec, *value, *power);
  if (!laid) co_return bad_value(laid.error());
  story.asked_words = laid->values;
  auto looking = read(target, story.space, story.first, story.count, deadline);
  const auto before = co_await std::move(looking);
  if (before) {
    story.before_words = *before;
    story.before = modbus::decode(point.spec, *before, *power).value;
  } else if (before.error().code != Errc::refused) {
    co_return within("nothing was sent, because the old value cannot be read", before.error());
  }
  if (expected && !is_same(point.spec, *expected, story.before)) {
    co_return fail(Error{Errc::invalid,
                         fmt::format("{} holds {}, not the expected {}: nothing was written",
                                     story.point, to_text(story.before), to_text(*expected)),
                         kWriteNotExpected});
  }

  if (auto asked = co_await begin(story); !asked) co_return fail(asked.error());
  was_written(target, which);
  const auto sent = co_await send(story, target, point, *laid, deadline);
  const bool slow = !sent && is_accepted(sent.error());
  if (!sent && !slow && is_certain(sent.error())) co_return fail(sent.error());

  // What does it hold now?
  Result<Words> now = fail(Errc::timeout, "there was no time left to read back");
  for (int look = 0; look < (slow ? 1000 : kLooks); ++look) {
    if (look > 0) {
      const auto pause = slow ? kSlowLook : kSettle * (1 << (look - 1));
      if (context_.clock.mono() + pause >= deadline) break;
      co_await context_.clock.sleep_for(pause);
    }
    auto reading = read(target, story.space, story.first, story.count, deadline);
    now = co_await std::move(reading);
    if (!now || laid->is_in(*now)) break;
  }
  if (now) {
    story.now_words = *now;
    story.now = modbus::decode(point.spec, *now, *power).value;
    publish(target, story.space, story.first, *now);
  }
  const bool holds = now && (laid->is_in(*now) || is_same(point.spec, *value, story.now));
  if (sent || slow) {
    if (!now && now.error().code != Errc::refused) {
      story.note = "taken by the device, but reading back failed: " + now.error().text;
      co_return fail(now.error().code == Errc::unavailable ? Errc::unavailable : Errc::timeout,
                     "{} took the write of {}, but what it holds now cannot be read: {}",
                     story.point, to_text(*value), now.error().text);
    }
    if (!now) story.note = "the device does not let it be read back";
    if (now && !holds) {
      co_return fail(Errc::malformed, "{} took the write of {} and holds {}", story.point,
                     to_text(*value), to_text(story.now));
    }
    co_return Written{story.before, story.now, {}, story.asked};
  }
  // No answer, or a damaged one: nothing is repeated.
  if (!now) {
    co_return fail(Errc::timeout,
                   "no answer to the write ({}), and reading back failed too ({}): whether {} was "
                   "written is not known",
                   sent.error().text, now.error().text, story.point);
  }
  if (holds) {
    story.note = "the answer was lost (" + sent.error().text + "); reading back shows it written";
    co_return Written{story.before, story.now, {}, story.asked};
  }
  co_return fail(Errc::timeout,
                 "no answer to the write ({}), and {} holds {}: it was not written, "
                 "and is not tried again",
                 sent.error().text, story.point, to_text(story.now));
}

Task<Result<void>> Writer::send(WriteStory& story, Target& target, const DevicePoint& point,
                                const modbus::Laid& laid, MonoTime deadline) {
  const Space space = point.where.space;
  const auto first = point.where.address;
  // The only register with bits of its own, for function 22.
  const auto touched = std::ranges::count_if(laid.mask, [](auto mask) { return mask != 0; });
  if (!laid.is_whole() && touched == 1 && !target.habits.no_mask_write) {
    const auto at = static_cast<std::size_t>(
        std::ranges::find_if(laid.mask, [](auto mask) { return mask != 0; }) - laid.mask.begin());
    const modbus::Request mask =
        modbus::MaskWrite{static_cast<std::uint16_t>(first + at),
                          static_cast<std::uint16_t>(~laid.mask[at]), laid.values[at]};
    const auto answer = co_await send_one(story, target, mask, deadline);
    if (answer) co_return Result<void>{};
    if (answer.error().code != Errc::refused || !may_be_the_function(answer.error().detail))
      co_return fail(answer.error());
    target.habits.no_mask_write =
        answer.error().detail == modbus::code(modbus::Exception::illegal_function);
  }
  if (!laid.is_whole() && story.before_words.empty()) {
    co_return fail(Errc::unavailable,
                   "{} is a part of its register, which the device does not let be read: it cannot "
                   "be written without changing the rest",
                   story.point);
  }
  const auto values = laid.is_whole() ? laid.values : laid.over(story.before_words);
  auto& learned = target.habits.by_many(space);
  const bool many = learned.value_or(false);
  const auto request = write_request(space, first, values, many);
  const auto answer = co_await send_one(story, target, request, deadline);
  if (answer) co_return Result<void>{};
  const bool other = values.size() == 1 && answer.error().code == Errc::refused &&
                     may_be_the_function(answer.error().detail);
  if (!other) co_return fail(answer.error());
  const auto another = write_request(space, first, values, !many);
  const auto second = co_await send_one(story, target, another, deadline);
  if (second) {
    learned = !many;
    log_.info("takes another write function", field("device", story.device),
              field("function", story.function));
    co_return Result<void>{};
  }
  // What it says to the function that it may know is the better reason.
  const bool unknown = second.error().code == Errc::refused &&
                       second.error().detail == modbus::code(modbus::Exception::illegal_function);
  co_return fail(unknown ? answer.error() : second.error());
}

}  // namespace lightship::poller
