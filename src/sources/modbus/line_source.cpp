// Polls the devices of one line.
#include "sources/modbus/line_source.h"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/json_writer.h"
#include "codec/modbus/exception.h"

namespace lightship::poller {

using namespace std::chrono_literals;

namespace {

// A busy device (exception 5 or 6) is asked again after this long, doubled with each try.
constexpr Duration kBusyPause = 100ms;
// Devices of one line with the same interval begin this far apart, so that the first polls do not
// queue.
constexpr Duration kPhase = 5ms;
// Who waits for longer looks up so often whether it is wanted sooner: after a nudge, or because the
// device answers again.
constexpr Duration kNap = 1s, kShortNap = 250ms;
// A poll that finds something out begins anew, at most so often.
constexpr int kMostFindings = 8;

Backoff::Settings pauses() { return {.first = 500ms, .limit = 15s, .jitter = 0.2}; }

bool is_busy(const Error& error) {
  return error.code == Errc::refused &&
         (error.detail == modbus::code(modbus::Exception::acknowledge) ||
          error.detail == modbus::code(modbus::Exception::busy));
}

bool is_worth_a_retry(const Error& error) {
  return error.code == Errc::timeout || error.code == Errc::crc || error.code == Errc::malformed ||
         is_busy(error);
}

// While a request is under way, however it ends.
struct Busy {
  Busy(BusyMeter& of, const Clock& by) : meter(of), clock(by) { meter.begin(clock.mono()); }
  ~Busy() { meter.end(clock.mono()); }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  BusyMeter& meter;
  const Clock& clock;
};

// Whoever waits for the next poll of a group can be woken while this is there.
struct Bell {
  Bell(asio::any_io_executor on, Device::Group& of) : timer(std::move(on)), group(of) {
    group.bell = &timer;
  }
  ~Bell() { group.bell = nullptr; }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  asio::steady_timer timer;
  Device::Group& group;
};

modbus::Request read_request(Space space, std::uint16_t first, std::uint16_t count) {
  return modbus::Read{static_cast<modbus::Function>(space), first, count};
}

}  // namespace

LineSource::LineSource(Context& context, LineSetup setup)
    : context_(context),
      setup_(std::move(setup)),
      log_(context.logbook, "modbus/" + setup_.id),
      frames_(FrameRing::of(context)->enter("modbus/" + setup_.id, setup_.frames)),
      learned_(LearnedStore::of(context)),
      turnstile_(context.executor, setup_.window),
      dialing_(context.executor),
      backoff_(pauses(), std::hash<std::string>{}(setup_.id)),
      writer_(context, *this, setup_.id),
      connects_(context.metrics.counter("modbus_connects_total", "times a line was opened",
                                        {{"connection", setup_.id}})),
      losses_(context.metrics.counter("modbus_losses_total", "times a line was lost",
                                      {{"connection", setup_.id}})) {
  Duration phase{};
  const auto probes = std::make_shared<ProbeBudget>();
  const bool alone = setup_.devices.size() == 1 || setup_.window >= setup_.devices.size();
  for (auto& device : setup_.devices) {
    devices_.push_back(std::make_unique<Device>(
        std::move(device),
        Device::Line{setup_.timeout, setup_.retries, alone, setup_.devices.size(), probes}, context,
        learned_, phase));
    auto& made = *devices_.back();
    context_.owners.enter(made.id(), static_cast<RegisterReader&>(*this));
    writer_.add(made.id(), made.setup());
    context.metrics.gauge("modbus_poll_rate_ratio", "polls made, as a part of those configured",
                          {{"connection", setup_.id}, {"device", made.info().id()}},
                          [&made] { return made.achieved(); });
    phase += kPhase;
  }
  context.metrics.gauge("modbus_line_busy_ratio", "part of the time spent asking",
                        {{"connection", setup_.id}}, [this] {
                          const auto passed = context_.clock.mono() - started_;
                          return passed.count() > 0 ? to_ms(busy_) / to_ms(passed) : 0;
                        });
}

LineSource::~LineSource() {
  context_.metrics.remove_gauges({"connection", setup_.id});
  for (const auto& device : devices_)
    context_.owners.leave(device->id(), static_cast<const RegisterReader&>(*this));
}

Task<Error> LineSource::run() {
  started_ = context_.clock.mono();
  heartbeat_ = context_.progress.enroll("modbus/" + setup_.id);
  serving_ = std::make_unique<TaskGroup>(context_.executor);
  asked_ = std::make_unique<TaskGroup>(context_.executor);
  writer_.start();
  TaskGroup polling(context_.executor);
  for (const auto& device : devices_) {
    for (auto& group : device->groups()) polling.spawn(poll_for_ever(*device, group));
  }
  if (!context_.data_dir.empty()) polling.spawn(save_learned());

  std::exception_ptr why;
  try {
    co_await polling.run();
  } catch (...) {
    why = std::current_exception();
  }
  co_await writer_.stop();
  asked_->cancel();
  co_await asked_->join();
  asked_.reset();
  if (conversation_) conversation_->close();
  serving_->cancel();
  co_await serving_->join();
  conversation_.reset();
  heartbeat_.reset();
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await learned_->save();
  if (why) std::rethrow_exception(why);
  co_return Error{Errc::closed, "no device is polled any more", 0};
}

void LineSource::nudge() {
  backoff_.reset();
  next_try_ = {};
  for (const auto& device : devices_) device->nudge();
}

bool LineSource::poll_now(DeviceId id) {
  const auto known =
      std::ranges::find_if(devices_, [&](const auto& device) { return device->id() == id; });
  if (known == devices_.end()) return false;
  backoff_.reset();
  next_try_ = {};
  (*known)->poll_now();
  return true;
}

// The longest that a poll may rightly take until the line says something again.
Duration LineSource::alive_within() const {
  return std::max<Duration>(60s, 20 * setup_.timeout) + 2 * FairShare::kAlarmLead;
}

Task<void> LineSource::poll_for_ever(Device& device, Device::Group& group) {
  Bell bell(context_.executor, group);
  for (;;) {
    for (;;) {
      const auto wake = device.wake_at(group), now = context_.clock.mono();
      heartbeat_->beat(alive_within());
      if (wake <= now) break;
      co_await context_.clock.sleep_unless_woken(
          std::min<MonoTime>(wake, now + (device.is_silent() ? kShortNap : kNap)), bell.timer);
    }
    // A poll that a person wants leaves the grid as it is.
    const bool extra = std::exchange(group.wanted, false) && !device.is_silent() && !group.owed &&
                       group.schedule.due() > context_.clock.mono();
    const bool was_online = device.online(), first = !device.polled();
    auto readings = co_await poll(device, group);
    if (readings.online != was_online || (first && device.polled() && !readings.online)) {
      count_silent();
      if (readings.online)
        log_.info("device answers", field("device", device.info().id()));
      else
        log_.warn("device is silent", field("device", device.info().id()),
                  field("why", device.condition()));
    }
    // Whether the device is there is told by the first poll that asks it something.
    if (device.polled()) context_.bus.publish(std::move(readings));
    const auto now = context_.clock.mono();
    if (!extra || group.schedule.due() <= now)
      *device.counters().overruns += group.schedule.finished(now);
  }
}

// Silent devices are probed rarely only where others use the line.
void LineSource::count_silent() {
  const bool online =
      std::ranges::any_of(devices_, [](const auto& device) { return device->online(); });
  for (const auto& device : devices_) device->others(online);
}

Task<Readings> LineSource::poll(Device& device, Device::Group& group) {
  auto poll = device.begin_poll(group);
  if (device.setup().is_sunspec() && !co_await walk(device, poll))
    co_return device.finish_poll(poll, context_.clock.now(), context_.clock.mono());
  for (int findings = 0;; ++findings) {
    const auto window =
        std::min<std::size_t>({device.setup().in_flight, setup_.window, poll.blocks->size()});
    std::size_t next = 0;
    bool stop = false;
    if (window <= 1 || poll.probe) {
      co_await read_blocks(device, poll, next, stop);
    } else {
      TaskGroup readers(context_.executor);
      for (std::size_t i = 0; i < window; ++i) readers.spawn(read_blocks(device, poll, next, stop));
      co_await readers.run();
    }
    if (!device.memory().learns()) break;
    if (findings >= kMostFindings || !co_await learn_from(device, poll)) break;
    device.restart(poll);
  }
  // The poll itself may have found the connection closed and made a new one.
  if (poll.answered && device.wants_look()) co_await look(device, poll);
  if (poll.answered && device.memory().learns() && !device.is_outdated(poll))
    co_await doubt_what_was_learned(device, poll);
  co_return device.finish_poll(poll, context_.clock.now(), context_.clock.mono());
}

Task<void> LineSource::read_blocks(Device& device, Device::Poll& poll, std::size_t& next,
                                   bool& stop) {
  MonoTime arrived{};
  if (poll.probe && !poll.answered) {
    if (const auto small = device.probe_read(poll)) {
      const auto answer = co_await read_range(device, poll, *small, arrived);
      poll.answered =
          answer || (answer.error().code == Errc::refused && !is_from_gateway(answer.error()));
      if (!poll.answered) {
        for (std::size_t which = 0; which < poll.blocks->size(); ++which)
          device.take(poll, which, answer, arrived);
        co_return;
      }
    }
  }
  while (!stop && next < poll.blocks->size()) {
    const std::size_t which = next++;
    const auto& block = (*poll.blocks)[which];
    if (block.hole >= 0) continue;
    const auto answer =
        co_await read_range(device, poll, {block.space, block.first, block.count}, arrived);
    const bool heard =
        answer || (answer.error().code == Errc::refused && !is_from_gateway(answer.error()));
    if (!heard && answer.error().code != Errc::crc) poll.silent = which;
    device.take(poll, which, answer, arrived);
    // Silence on one block is silence on all: the others keep "timeout" and the line is free again.
    if (!heard) {
      for (std::size_t rest = next; rest < poll.blocks->size(); ++rest) {
        if ((*poll.blocks)[rest].hole < 0) device.take(poll, rest, answer, arrived);
      }
      stop = true;
    }
  }
}

Task<Result<ByteVector>> LineSource::read_range(Device& device, const Device::Poll& poll,
                                                PlanPoint range, MonoTime& arrived) {
  Result<ByteVector> answer = fail(Errc::timeout, "not asked");
  unsigned tries = poll.answered && poll.probe ? 1 : device.tries();
  for (unsigned attempt = 0; attempt < tries; ++attempt) {
    if (attempt > 0) ++*device.counters().retries;
    Tally tally;
    {
      const auto& group = *poll.group;
      auto turn = turnstile_.try_enter();
      if (!turn) {
        turn = co_await turnstile_.enter(
            device.share().rank(group.schedule.due(), group.of.alarm, context_.clock.mono()));
      }
      Ask ask;
      ask.unit = device.info().unit;
      ask.request = read_request(range.space, range.address, range.count);
      ask.patience = device.patience(attempt);
      ask.limit = setup_.timeout;
      ask.pause = attempt > 0 ? device.pause_of_retry() : device.pause();
      ask.answers_as = device.setup().answers_as;
      // Waiting for the line is no part of a poll.
      auto& begun = const_cast<Device::Poll&>(poll).first_asked;
      begun = std::min(begun, context_.clock.mono());
      answer = co_await ask_once(device, std::move(ask), tally);
    }
    arrived = tally.arrived;
    if (answer || !is_worth_a_retry(answer.error())) co_return answer;
    // Another one spoke meanwhile, late or out of turn, or the line was opened into what somebody
    // said: that says nothing about this one.
    const bool torn = tally.rejects.noise_bytes > 0 || tally.rejects.crc > 0;
    if (tries == 1 && (tally.rejects.unit > 0 || (tally.first && torn))) ++tries;
    if (is_busy(answer.error()))
      co_await context_.clock.sleep_for(kBusyPause * (1 << std::min(attempt, 4u)));
  }
  co_return answer;
}

Task<Result<ByteVector>> LineSource::ask_once(Device& device, Ask ask, Tally& tally) {
  const auto request = ask.request;
  const bool harmless = std::holds_alternative<modbus::Read>(request);
  for (int reconnects = 0;; ++reconnects) {
    auto talking = conversation_at_once();
    if (!talking) {
      auto conversation = co_await connected();
      if (!conversation) {
        device.unreachable(conversation.error());
        co_return fail(conversation.error());
      }
      talking = std::move(*conversation);
    }
    const auto begun = context_.clock.mono();
    const auto quiet =
        std::max(std::chrono::duration_cast<Duration>(begun - quiet_since_), ask.pause);
    const Busy busy{busy_lately_, context_.clock};
    tally.first = std::exchange(just_opened_, false);
    auto answer = co_await talking->ask(ask, tally);
    quiet_since_ = context_.clock.mono();
    const auto held = std::chrono::duration_cast<Duration>(quiet_since_ - begun);
    busy_ += held;
    if (!answer && answer.error().code == Errc::closed) {
      disconnected(answer.error());
      // Many devices close a connection that was idle: the first request on it finds out and goes
      // again.
      if (harmless && reconnects == 0) continue;
    }
    device.hear(request, answer, tally, setup_.window > 1 ? Duration::max() : quiet, held);
    if (!log_.wants(Level::debug)) co_return answer;
    if (answer)
      log_.debug("answer", field("device", device.info().id()), field("bytes", answer->size()),
                 field("ms", to_ms(tally.answer_time)));
    else
      log_.debug("no answer", field("device", device.info().id()),
                 field("why", answer.error().text));
    co_return answer;
  }
}

// The open line, when nobody is about to change it.
std::shared_ptr<Conversation> LineSource::conversation_at_once() {
  const auto turn = dialing_.try_enter();
  return turn && conversation_ && conversation_->alive() ? conversation_ : nullptr;
}

Task<Result<std::shared_ptr<Conversation>>> LineSource::connected() {
  auto turn = co_await dialing_.enter(context_.clock.mono());
  if (conversation_ && conversation_->alive()) co_return conversation_;
  if (conversation_) disconnected({Errc::closed, "the line was closed by the other side", 0});
  if (context_.clock.mono() < next_try_) co_return fail(last_error_);

  serving_->cancel();
  co_await serving_->join();
  conversation_.reset();
  auto opened = co_await setup_.open(context_);
  if (!opened) {
    const auto pause = backoff_.next();
    next_try_ = context_.clock.mono() + pause;
    last_error_ = opened.error();
    log_.warn("cannot open the line", field("why", last_error_.text),
              field("again_in", for_people(pause)));
    co_return fail(last_error_);
  }
  ++connects_;
  conversation_ = std::move(*opened);
  serving_ = std::make_unique<TaskGroup>(context_.executor);
  serving_->spawn(conversation_->serve());
  if (backoff_.failures() > 0 || connects_.value == 1 || was_lost_)
    log_.info("line is open", field("line", setup_.line));
  backoff_.reset();
  last_error_ = {};
  was_lost_ = false;
  just_opened_ = true;
  for (const auto& device : devices_) device->line_is_back();
  if (setup_.pause_after_connect.count() > 0)
    co_await context_.clock.sleep_for(setup_.pause_after_connect);
  co_return conversation_;
}

void LineSource::disconnected(const Error& why) {
  if (!was_lost_) ++losses_;
  was_lost_ = true;
  log_.debug("line lost", field("why", why.text));
  if (conversation_) conversation_->close();
}

const Device* LineSource::device(DeviceId id) const {
  const auto known =
      std::ranges::find_if(devices_, [&](const auto& device) { return device->id() == id; });
  return known == devices_.end() ? nullptr : known->get();
}

Task<Result<ByteVector>> LineSource::read_registers(DeviceId id, Space space, std::uint16_t first,
                                                    std::uint16_t count, Duration limit) {
  auto answer = co_await ask_for(id, read_request(space, first, count), limit);
  if (answer) answer->erase(answer->begin(), answer->begin() + 2);  // function and byte count
  co_return answer;
}

Task<Result<ByteVector>> LineSource::ask_for(DeviceId id, modbus::Request request, Duration limit) {
  const auto known =
      std::ranges::find_if(devices_, [&](const auto& device) { return device->id() == id; });
  if (known == devices_.end()) co_return fail(Errc::unavailable, "the device is not on this line");
  if (!asked_) co_return fail(Errc::unavailable, "the line is not polled now");
  // The asking is owned by this line, which may end before whoever asked does.
  const auto answer = std::make_shared<Asked>(context_.executor);
  asked_->spawn(ask_before_polls(answer, **known, std::move(request), limit));
  boost::system::error_code woken;
  if (!answer->value)
    co_await answer->done.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (!answer->value) co_return fail(Errc::unavailable, "the line is not polled any more");
  co_return std::move(*answer->value);
}

Task<void> LineSource::ask_before_polls(std::shared_ptr<Asked> asked, Device& device,
                                        modbus::Request request, Duration limit) {
  struct Wakes {
    Asked& asked;
    ~Wakes() { asked.done.cancel(); }
  } const wakes{*asked};
  const auto deadline = context_.clock.mono() + limit;
  if (auto why = device.not_worth_asking()) {
    asked->value = fail(std::move(*why));
    co_return;
  }
  // A person waits: before every poll, but one that has waited for longer than the lead.
  auto turn = co_await turnstile_.enter(context_.clock.mono() - FairShare::kAskLead);
  const auto left = std::chrono::duration_cast<Duration>(deadline - context_.clock.mono());
  if (left.count() <= 0) {
    asked->value = fail(Errc::timeout, "the line was busy for {}", for_people(limit));
    co_return;
  }
  Tally tally;
  Ask ask;
  ask.unit = device.info().unit;
  ask.request = std::move(request);
  ask.patience = std::min(left, setup_.timeout);
  ask.limit = ask.patience;
  ask.pause = device.pause();
  ask.answers_as = device.setup().answers_as;
  asked->value = co_await ask_once(device, std::move(ask), tally);
}

void LineSource::describe_status(JsonWriter& json) const {
  json.member("line", setup_.line);
  json.member("open", conversation_ && conversation_->alive());
  const auto passed = context_.clock.mono() - started_;
  json.key("busy_percent")
      .value(Real{passed.count() > 0 ? 100 * to_ms(busy_) / to_ms(passed) : 0, 1});
  if (!last_error_.text.empty()) json.member("error", last_error_.text);
  json.key("devices").begin_array();
  for (const auto& device : devices_) device->describe_status(json, context_.clock);
  json.end_array();
}

}  // namespace lightship::poller
