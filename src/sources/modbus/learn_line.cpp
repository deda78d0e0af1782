// How a line finds out why a device refuses a block or stays silent on it, and doubts that later.
#include "codec/modbus/exception.h"
#include "sources/modbus/hole_search.h"
#include "sources/modbus/line_source.h"

namespace lightship::poller {

using namespace std::chrono_literals;

namespace {

// A search halves at most 2000 bits: 11 steps and 2 more, each twice where silence is the sign.
constexpr int kMostReads = 40;
constexpr auto kSaveAfter = 2s;

}  // namespace

// One read for the sake of learning, with the turn of the poll it belongs to. `unhurried`: after so
// long a silence that hurry cannot be the reason, and twice before it counts as silence.
Task<LineSource::Said> LineSource::try_read(Device& device, const Device::Group& group,
                                            PlanPoint range, bool unhurried) {
  for (int attempt = 0;; ++attempt) {
    Tally tally;
    Result<ByteVector> answer = fail(Errc::timeout, "not asked");
    {
      auto turn = co_await turnstile_.enter(
          device.share().rank(group.schedule.due(), group.of.alarm, context_.clock.mono()));
      Ask ask;
      ask.unit = device.info().unit;
      ask.request =
          modbus::Read{static_cast<modbus::Function>(range.space), range.address, range.count};
      ask.patience = device.patience(static_cast<unsigned>(attempt));
      ask.limit = setup_.timeout;
      ask.pause = unhurried ? PauseLearner::kLongest : device.pause();
      ask.answers_as = device.setup().answers_as;
      answer = co_await ask_once(device, std::move(ask), tally);
    }
    if (answer) co_return Said::served;
    const auto& why = answer.error();
    if (why.code == Errc::refused) {
      co_return why.detail == modbus::code(modbus::Exception::illegal_address) ||
              why.detail == modbus::code(modbus::Exception::illegal_value)
          ? Said::refused
          : Said::unclear;
    }
    if (attempt > 0)
      co_return why.code == Errc::timeout || why.code == Errc::malformed ? Said::silent
                                                                         : Said::unclear;
  }
}

// True: something was found out that lets more be read, and the poll is worth beginning anew.
Task<bool> LineSource::learn_from(Device& device, Device::Poll& poll) {
  auto& memory = device.memory();
  // What another device of the model has found out meanwhile need not be found again.
  if (memory.has_news()) {
    device.replan();
    co_return !poll.refused.empty();
  }
  bool better = false;
  for (const auto which : poll.refused) {
    if (device.is_outdated(poll)) co_return true;
    const auto& block = (*poll.blocks)[which];
    if (!memory.may_search(block, context_.clock.mono())) continue;
    const auto code = poll.readings.readings[block.points.front()].code;
    const bool found = co_await search(device, poll, which, code);
    if (!found) memory.searched_in_vain(block, context_.clock.mono());
    // A block of one point stays refused: nothing more can be read of it.
    better = better || (found && block.points.size() > 1);
  }
  if (device.is_outdated(poll)) co_return true;
  if (device.is_suspect(poll) &&
      memory.may_search((*poll.blocks)[*poll.silent], context_.clock.mono()))
    better = co_await search(device, poll, *poll.silent, 0) || better;
  co_return better;
}

Task<bool> LineSource::search(Device& device, const Device::Poll& poll, std::size_t which,
                              std::uint8_t code) {
  const auto& block = (*poll.blocks)[which];
  const auto& group = *poll.group;
  const auto points = device.points_of(group.of, block);
  const auto at_it = device.memory().search();
  const bool silence = code == 0;
  const PlanPoint whole{block.space, block.first, block.count};
  if (silence && co_await try_read(device, group, whole, true) != Said::silent) co_return false;

  HoleSearch search(block, points, device.longest_good(block.space));
  for (int reads = 0; search.next(); ++reads) {
    const auto [first, count] = *search.next();
    const auto said = co_await try_read(device, group, {block.space, first, count}, silence);
    const bool refused = said == Said::refused || (silence && said == Said::silent);
    if ((said != Said::served && !refused) || reads >= kMostReads) co_return false;
    search.told(said == Said::served);
  }
  if (silence) {
    // What was found is true only if the device still lives.
    PlanPoint good = points.front();
    if (search.good()) good = {block.space, search.good()->first, search.good()->count};
    for (std::size_t other = 0; !search.good() && other < poll.blocks->size(); ++other) {
      const auto& served = (*poll.blocks)[other];
      if (poll.data[other] >= 0) good = {served.space, served.first, served.count};
    }
    if (co_await try_read(device, group, good, true) != Said::served) co_return false;
  }
  const auto& finding = search.finding();
  if (finding.limit && !device.memory().learns_limits()) {
    // What a person has configured is not changed; but the person should know.
    log_.warn("the device gives less in one answer than limits.max_registers says: lower it",
              field("device", device.info().id()), field("most", *finding.limit),
              field("first", block.first), field("asked", block.count));
    co_return false;
  }
  if (finding.limit) {
    device.memory().limit_is(block.space, *finding.limit);
    log_.info("learned: the device gives not more than so much in one answer",
              field("device", device.info().id()), field("most", *finding.limit));
  } else if (finding.hole) {
    auto hole = *finding.hole;
    hole.code = code;
    if (!device.memory().found(hole)) {
      if (device.memory().became_full())
        log_.warn(
            "the device refuses more ranges than can be remembered: the others stay as they are",
            field("device", device.info().id()), field("ranges", kMostHoles));
      co_return false;
    }
    log_.info("learned: a range that the device refuses", field("device", device.info().id()),
              field("function", static_cast<int>(hole.space)), field("first", hole.first),
              field("count", hole.count), field("exception", static_cast<int>(hole.code)));
  } else {
    co_return false;
  }
  device.replan();
  co_return true;
}

// Whether the models of a SunSpec device still stand where they were found. False: nothing was
// heard of it, or it is another one, and what this poll has read means nothing.
Task<bool> LineSource::look(Device& device, Device::Poll& poll) {
  const auto models = device.models();  // others may walk meanwhile
  for (const auto& model : models) {
    const auto head = co_await read_words(device, poll, Space::holding, model.at, 2);
    if (device.is_outdated(poll)) co_return false;
    // What a device moves to may be refused in unclear words for ever: then only a walk can tell.
    const bool unclear =
        !head && (head.error().code != Errc::refused || is_from_gateway(head.error()) ||
                  (is_unclear(head.error()) && !device.is_unclear_for_long()));
    if (unclear) {
      device.looked(Device::Look::unknown);
      device.restart(poll);
      const Result<ByteVector> silence = fail(head.error());
      for (std::size_t which = 0; which < poll.blocks->size(); ++which)
        device.take(poll, which, silence, {});
      co_return false;
    }
    if (head && (*head)[0] == model.id && (*head)[1] == model.length) continue;
    log_.info("the SunSpec models of the device have moved", field("device", device.info().id()),
              field("model", model.id), field("was_at", model.at));
    device.looked(Device::Look::other);
    co_return false;
  }
  device.looked(Device::Look::same);
  co_return true;
}

// Where the models of a SunSpec device are. False: not known, and nothing can be read.
Task<bool> LineSource::walk(Device& device, Device::Poll& poll) {
  if (device.is_walked() && (!device.wants_look() || co_await look(device, poll))) co_return true;
  if (device.is_walked() || device.is_outdated(poll)) co_return false;
  const auto is_silent = [&](const Error& why) {
    const Result<ByteVector> silence = fail(why);
    for (std::size_t which = 0; which < poll.blocks->size(); ++which)
      device.take(poll, which, silence, {});
  };
  if (!device.wants_walk()) {
    MonoTime arrived{};
    const auto answer = co_await read_range(device, poll, device.walk_probe(), arrived);
    if (!answer && (answer.error().code != Errc::refused || is_from_gateway(answer.error())))
      is_silent(answer.error());
    else
      device.no_models(poll);
    co_return false;
  }
  const AskRegisters ask = [this, &device, &poll](Space space, std::uint16_t first,
                                                  std::uint16_t count) {
    return read_words(device, poll, space, first, count);
  };
  auto chain = co_await walk_sunspec(ask, device.setup().sunspec_bases);
  if (!chain && ((chain.error().code != Errc::refused && chain.error().code != Errc::malformed) ||
                 is_unclear(chain.error()))) {
    is_silent(chain.error());
    co_return false;
  }
  auto points = chain ? resolve(device.setup().points, *chain)
                      : Result<std::vector<DevicePoint>>(fail(chain.error()));
  // Behind its last model a device may have nothing but such an exception; one that just starts has
  // more models later.
  if (chain && chain->unclear != 0 && (!device.is_unclear_for_long() || !points)) {
    is_silent(modbus::exception_error(chain->unclear));
    co_return false;
  }
  device.walked(points, chain ? *chain : SunspecChain{});
  if (points) {
    log_.info("SunSpec models found", field("device", device.info().id()),
              field("models", chain->ids()));
    device.restart(poll);
    co_return true;
  }
  log_.warn("the device has no SunSpec models that its meter_model reads",
            field("device", device.info().id()), field("why", points.error().text));
  device.no_models(poll);
  co_return false;
}

Task<Result<std::vector<std::uint16_t>>> LineSource::read_words(Device& device,
                                                                const Device::Poll& poll,
                                                                Space space, std::uint16_t first,
                                                                std::uint16_t count) {
  MonoTime arrived{};
  const auto answer = co_await read_range(device, poll, {space, first, count}, arrived);
  if (!answer) co_return fail(answer.error());
  if (answer->size() < 2 + std::size_t{2} * count)
    co_return fail(Errc::malformed, "an answer of {} bytes, expected {}", answer->size(),
                   2 + 2 * count);
  std::vector<std::uint16_t> words(count);
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = load_u16(&(*answer)[2 + 2 * i]);
  co_return words;
}

// At most one such read a poll, when its time has come: it never costs the others much.
Task<void> LineSource::doubt_what_was_learned(Device& device, const Device::Poll& poll) {
  auto& memory = device.memory();
  const auto now = context_.clock.mono();
  if (const auto retry = memory.retry(now)) {
    const auto said = co_await try_read(device, *poll.group, retry->read, false);
    if (said == Said::unclear) co_return;
    memory.retried(retry->hole, said == Said::served, now);
    if (said == Said::served)
      log_.info("learned: a range is served again", field("device", device.info().id()),
                field("first", retry->read.address), field("count", retry->read.count));
  } else if (const auto longer = memory.longer_read(now)) {
    const auto limit = memory.limit(longer->space);
    const auto said = co_await try_read(device, *poll.group, *longer, false);
    if (said == Said::unclear) co_return;
    if (memory.longer_read_done(longer->space, said == Said::served, now) && limit)
      log_.info("learned: the limit was wrong, longer reads are answered",
                field("device", device.info().id()), field("limit_was", *limit),
                field("answered", longer->count));
  } else {
    co_return;
  }
  device.replan();
}

Task<void> LineSource::save_learned() {
  for (;;) {
    co_await context_.clock.sleep_for(kSaveAfter);
    if (learned_->is_dirty()) co_await learned_->save();
  }
}

}  // namespace lightship::poller
