// A device's poll: how long it is waited for, what its answers mean, and when it is silent.
#include "sources/modbus/device.h"

#include <algorithm>
#include <array>
#include <bit>

#include "codec/modbus/exception.h"

namespace lightship::poller {

using namespace std::chrono_literals;

namespace {

// A device of which nothing was ever heard is waited for this long where others wait for the line.
// Now and then a silent one is waited for as long as is allowed: it may have become slow. Where
// nobody answers that is the 2nd, 4th, 8th ... further probe.
// It may well not be there at all: its second turn comes late.
constexpr Duration kFirstPatience = 500ms, kFirstPause = ProbeBudget::kBrief * kFirstPatience;
constexpr unsigned kPatientProbe = 2;
// A silent device is asked less and less often, up to this pause, so that its return shows soon.
constexpr Duration kLongestProbePause = 10s;
// A SunSpec device that was away for so many polls may be another one, or have new firmware.
constexpr unsigned kWalkAfter = 3;
constexpr auto kWalkAgain = 10min;
// Some devices hang up after each answer: a new connection is no reason to look more often.
constexpr auto kLookAgain = 1min;
// A device that just starts answers with exception 4 or 6 for seconds, seldom for longer than this.
constexpr auto kStarting = 1min;
// A block that is never answered while others are: after so many polls the reason is looked for.
// One that is longer than all that was answered is suspect sooner.
constexpr unsigned kSuspectAfter = 5, kLongSuspectAfter = 2;

std::uint32_t key_of(const Block& block) {
  return static_cast<std::uint32_t>(block.space) << 16 | block.first;
}

}  // namespace

Reason reason_of(const Error& error) {
  switch (error.code) {
    case Errc::refused:
      return Reason::exception;
    case Errc::crc:
    case Errc::malformed:
      return Reason::crc;
    default:
      return Reason::timeout;
  }
}

bool is_from_gateway(const Error& error) {
  return error.code == Errc::refused && (error.detail == 10 || error.detail == 11);
}

Device::Device(DeviceSetup setup, Line line, Context& context, std::shared_ptr<LearnedStore> store,
               Duration phase)
    : setup_(std::move(setup)),
      line_(line),
      context_(context),
      count_(context.metrics, setup_.info.id()),
      memory_(setup_, std::move(store), context.clock),
      pause_(setup_.pause, setup_.pause_given || !setup_.learns),
      share_(line.devices) {
  id_ = context.catalog.device(setup_.info);
  enter_points();
  context.catalog.set_points(id_, point_ids_);
  for (auto& group : group_points(setup_)) {
    const auto interval = group.interval;
    groups_.push_back({std::move(group), Schedule(interval, context.clock.mono(), phase)});
  }
  pause_.start_with(memory_.pause());
  replan();
}

void Device::enter_points() {
  point_ids_.clear();
  scale_points_.clear();
  powers_.assign(setup_.points.size(), std::nullopt);
  is_power_.assign(setup_.points.size(), false);
  has_powers_ = false;
  for (const auto& point : setup_.points) {
    const auto id = context_.catalog.point(
        id_, point.name, point.unit, {point.where.space, point.where.address, point.where.count});
    context_.catalog.set_interval(id, point.interval);
    point_ids_.push_back(id);
    int scale = -1;
    if (!point.scale_register.empty()) {
      const auto named = std::ranges::find(setup_.points, point.scale_register, &DevicePoint::name);
      if (named != setup_.points.end()) scale = static_cast<int>(named - setup_.points.begin());
    }
    scale_points_.push_back(scale);
    if (scale < 0) continue;
    is_power_[static_cast<std::size_t>(scale)] = true;
    has_powers_ = true;
  }
}

bool Device::wants_walk() const {
  return setup_.is_sunspec() && !is_walked_ && context_.clock.mono() >= walk_due_;
}

bool Device::wants_look() const {
  return is_walked_ && look_wanted_ && context_.clock.mono() >= look_due_;
}

bool Device::is_unclear_for_long() {
  const auto now = context_.clock.mono();
  if (!unclear_since_) unclear_since_ = now;
  return now - *unclear_since_ >= kStarting;
}

void Device::looked(Look what) {
  look_wanted_ = what == Look::unknown;
  if (what == Look::unknown) return;
  unclear_since_.reset();
  look_due_ = context_.clock.mono() + kLookAgain;
  if (what == Look::same) return;
  is_walked_ = false;
  walk_due_ = {};
  ++points_are_;  // what polls have read of it means nothing
}

void Device::walked(const Result<std::vector<DevicePoint>>& points, const SunspecChain& chain) {
  unclear_since_.reset();
  look_wanted_ = false;
  look_due_ = context_.clock.mono() + kLookAgain;
  if (!points) {
    walk_failed_ = points.error();
    walk_due_ = context_.clock.mono() + kWalkAgain;
    return;
  }
  walk_failed_.reset();
  is_walked_ = true;
  models_ = chain.models;
  std::erase_if(models_, [&](const SunspecChain::Model& model) {
    return std::ranges::none_of(*points, [&](const DevicePoint& point) {
      return !point.sunspec.empty() && point.where.count > 0 && point.where.address >= model.at &&
             point.where.address - model.at < 2 + model.length;
    });
  });
  ++points_are_;
  setup_.points = *points;
  enter_points();
  context_.catalog.set_points(id_, point_ids_);
  memory_.points_are(setup_.points);
  replan();
}

PlanPoint Device::walk_probe() const { return {Space::holding, setup_.sunspec_bases.front(), 2}; }

void Device::no_models(Poll& poll) {
  poll.answered = true;
  for (auto& reading : poll.readings.readings) reading.reason = Reason::not_available;
}

void Device::replan() {
  plain_.clear();
  for (const auto& point : setup_.points) {
    const bool alone = point.scale_register.empty() && !is_bits(point.where.space);
    const auto value = alone ? modbus::PlainValue(point.spec) : modbus::PlainValue();
    plain_.push_back({value, point.where.address});
  }
  auto limits = setup_.limits;
  memory_.narrow(limits);
  bool anything = false;
  for (auto& group : groups_) {
    plan_group(group.of, setup_.points, limits, memory_.holes());
    anything = anything || has_normal_blocks(*group.of.blocks);
  }
  // The device must be asked something to know whether it is there.
  if (!anything && !groups_.empty()) plan_group(groups_.front().of, setup_.points, limits, {});
  std::vector<RegisterImage::Range> ranges;
  for (const auto& group : groups_) {
    for (const auto& block : *group.of.blocks) {
      if (block.hole < 0) ranges.push_back({block.space, block.first, block.count});
    }
  }
  context_.cache.image(id_).declare(ranges);
}

MonoTime Device::wake_at(const Group& group) const {
  if (walking_) return MonoTime::max();
  // A poll that asks nothing finds out nothing.
  const auto& blocks = *group.of.blocks;
  if (is_silent() && !blocks.empty() && !has_normal_blocks(blocks)) return MonoTime::max();
  if (!is_silent()) return group.owed || group.wanted ? MonoTime{} : group.schedule.due();
  return probing_ ? MonoTime::max() : probe_due();
}

void Device::nudge() {
  wanted_now_ = true;
  walk_due_ = {};
  memory_.try_again_now();
}

void Device::poll_now() {
  nudge();
  for (auto& group : groups_) {
    group.wanted = true;
    if (group.bell != nullptr) group.bell->cancel();
  }
}

void Device::line_is_back() {
  if (!is_walked_) walk_due_ = std::min(walk_due_, look_due_);
  if (!reachable_ || is_silent()) look_due_ = {};  // it was away
  look_wanted_ = true;
  if (!reachable_) wanted_now_ = true;
}

void Device::others(bool any_online) {
  if (!others_online_ && any_online && silent_polls_ > 1)
    line_.probes->silent(this, own_probe_due(), context_.clock.mono());
  others_online_ = any_online;
}

unsigned Device::tries() const {
  if (is_silent() || (!answer_time_.known() && !line_.alone)) return 1;
  // One that comes and goes is not asked again until it has shown that it stays.
  return 1 + std::min(line_.retries, trust_);
}

Duration Device::patience(unsigned attempt) const {
  if (answer_time_.known() && !is_silent())
    return std::min(line_.timeout, answer_time_.patience() * (1 << std::min(attempt, 10u)));
  return line_.alone ? line_.timeout : std::min(line_.timeout, probe_patience());
}

Duration Device::probe_patience() const {
  if (patient_) return line_.timeout;
  return answer_time_.known() ? answer_time_.probe_patience() : kFirstPatience;
}

void Device::hear(const modbus::Request& request, const Result<ByteVector>& answer,
                  const Tally& tally, Duration quiet, Duration held) {
  count_.count(answer, tally);
  recent_ += tally.rejects;
  reachable_ = true;
  const auto now = context_.clock.mono();
  share_.used(held, now);
  const bool spoke = answer || answer.error().code == Errc::refused;
  const auto* read = std::get_if<modbus::Read>(&request);
  if (!spoke || is_from_gateway(answer ? Error{} : answer.error())) {
    *count_.wasted += static_cast<std::uint64_t>(held.count());
  } else {
    if (read != nullptr) {
      answer_time_.heard(tally.answer_time);
      latency_.add(tally.answer_time);
    }
    last_answer_at_ = context_.clock.now();
  }
  if (answer && read != nullptr) {
    auto& longest = longest_good_[is_bits(static_cast<Space>(read->function))];
    longest = std::max(longest, read->count);
  }
  if (!is_silent() && pause_.told(spoke, quiet, now)) memory_.pause_is(pause_.pause());
}

Device::Poll Device::begin_poll(Group& group) {
  const auto now = context_.clock.mono();
  if (group.begun != MonoTime{}) {
    const auto since = std::chrono::duration_cast<Duration>(now - group.begun);
    group.pace = group.pace == Duration{} ? since : (7 * group.pace + since) / 8;
  }
  group.begun = now;
  group.owed = false;
  ++*count_.polls;
  if (memory_.has_news()) {
    pause_.start_with(memory_.pause());
    replan();
  }
  Poll poll;
  poll.group = &group;
  poll.walks = !walking_ && wants_walk();
  walking_ = walking_ || poll.walks;
  poll.probe = is_silent();
  if (poll.probe) {
    ++*count_.probes;
    probing_ = true;
    patient_ = false;
    if (!others_online_)
      patient_ = silent_polls_ >= kPatientProbe && std::has_single_bit(silent_polls_);
    else if (shares_probes() && !wanted_now_)
      patient_ =
          line_.probes->begins(this, std::min(line_.timeout, probe_patience()), line_.timeout, now);
    group.schedule.leave_out(now);
  }
  restart(poll);
  return poll;
}

void Device::restart(Poll& poll) {
  const auto& points = poll.group->of.points;
  poll.blocks = poll.group->of.blocks;
  poll.points = points_are_;
  poll.readings.device = id_;
  poll.readings.blocks.clear();
  poll.readings.readings.clear();
  poll.readings.readings.resize(points.size());
  for (std::size_t place = 0; place < points.size(); ++place) {
    // What a SunSpec device does not have stands nowhere.
    const bool nowhere = setup_.is_sunspec() && setup_.points[points[place]].where.count == 0;
    auto& reading = poll.readings.readings[place];
    reading.point = point_ids_[points[place]];
    reading.reason = nowhere ? Reason::not_available : Reason::timeout;
  }
  for (const auto& block : *poll.blocks) {
    if (block.hole < 0) continue;
    const auto code = memory_.holes()[static_cast<std::size_t>(block.hole)].code;
    for (const auto place : block.points) {
      poll.readings.readings[place].reason = code > 0 ? Reason::exception : Reason::timeout;
      poll.readings.readings[place].code = code;
    }
  }
  poll.data.assign(poll.blocks->size(), -1);
  poll.refused.clear();
  poll.silent.reset();
  recent_ = {};
}

std::optional<PlanPoint> Device::probe_read(const Poll& poll) const {
  if (poll.blocks->empty()) return std::nullopt;
  // Another one each time: the device may be silent on some of them only.
  const auto& block = (*poll.blocks)[silent_polls_ % poll.blocks->size()];
  if (block.points.size() < 2) return std::nullopt;
  const auto place = block.points[silent_polls_ / poll.blocks->size() % block.points.size()];
  return setup_.points[poll.group->of.points[place]].where;
}

void Device::take(Poll& poll, std::size_t which, const Result<ByteVector>& answer,
                  MonoTime arrived) {
  const auto& block = (*poll.blocks)[which];
  if (answer) {
    poll.answered = true;
    // function, byte count, then the data
    const auto data = Bytes(*answer).subspan(std::min<std::size_t>(2, answer->size()));
    poll.data[which] = static_cast<int>(poll.readings.blocks.size());
    poll.readings.blocks.push_back(
        {block.space, block.first, block.count, ByteVector(data.begin(), data.end()), arrived});
    if (!suspects_.empty())
      std::erase_if(suspects_, [&](const auto& one) { return one.first == key_of(block); });
    return;
  }
  last_error_ = answer.error();
  last_error_at_ = context_.clock.now();
  if (last_error_.code == Errc::refused && !is_from_gateway(last_error_)) {
    poll.answered = true;
    if (last_error_.detail == modbus::code(modbus::Exception::illegal_address) ||
        last_error_.detail == modbus::code(modbus::Exception::illegal_value))
      poll.refused.push_back(which);
  }
  for (const auto place : block.points) {
    poll.readings.readings[place].reason = reason_of(last_error_);
    poll.readings.readings[place].code = static_cast<std::uint8_t>(last_error_.detail);
  }
}

bool Device::is_suspect(const Poll& poll) {
  if (!poll.silent || !poll.answered) return false;
  const auto& block = (*poll.blocks)[*poll.silent];
  auto known =
      std::ranges::find(suspects_, key_of(block), [](const auto& one) { return one.first; });
  if (known == suspects_.end()) known = suspects_.insert(known, {key_of(block), 0});
  const bool longest = block.count > longest_good_[is_bits(block.space)];
  if (++known->second < (longest ? kLongSuspectAfter : kSuspectAfter)) return false;
  suspects_.erase(known);
  return true;
}

std::vector<PlanPoint> Device::points_of(const PollGroup& group, const Block& block) const {
  std::vector<PlanPoint> points;
  for (const auto place : block.points) points.push_back(setup_.points[group.points[place]].where);
  return points;
}

Readings Device::finish_poll(Poll& poll, Time now, MonoTime mono) {
  probing_ = false;
  if (poll.walks) walking_ = false;
  auto& readings = poll.readings;
  const bool outdated = is_outdated(poll);
  if (outdated) {
    readings.blocks.clear();
    readings.readings.clear();
    poll.data.assign(poll.blocks->size(), -1);
    poll.group->owed = true;
  }
  read_powers(poll);
  poll.group->asked = 0;
  for (std::size_t which = 0; which < poll.blocks->size(); ++which) {
    const auto& block = (*poll.blocks)[which];
    if (block.hole < 0) ++poll.group->asked;
    if (poll.data[which] < 0) continue;
    const auto& data = readings.blocks[static_cast<std::size_t>(poll.data[which])].data;
    read_block(poll, block, data);
  }
  last_poll_ = std::chrono::duration_cast<Duration>(mono - std::min(poll.first_asked, mono));
  polled_ = polled_ || poll.answered || poll.group->asked > 0;
  heard_ = recent_;
  if (!outdated && (poll.answered || poll.group->asked > 0)) record_.add(poll.answered, mono);
  if (poll.answered) {
    online_ = true;
    if (silent_polls_ > 0) line_.probes->answers(this);
    silent_polls_ = 0;
    wanted_now_ = false;
    if (trust_ != ~0u) ++trust_;
  } else if (poll.group->asked > 0 && !outdated) {
    fell_silent(poll, mono);
  }
  readings.online = online_;
  readings.at = now;
  readings.arrived = mono;
  readings.poll = last_poll_;
  return std::move(readings);
}

// Nothing was heard of it: every point of every group is told so, and the next probe is set.
void Device::fell_silent(Poll& poll, MonoTime now) {
  online_ = false;
  ++*count_.failed;
  if (++silent_polls_ >= kWalkAfter) is_walked_ = false;
  trust_ = 0;
  longest_good_[0] = longest_good_[1] = 0;
  const auto reason = reason_of(last_error_);
  const auto code = static_cast<std::uint8_t>(last_error_.detail);
  for (auto& group : groups_) {
    group.owed = true;
    if (&group == poll.group) continue;
    for (const auto point : group.of.points)
      poll.readings.readings.push_back({point_ids_[point], {}, reason, code});
  }
  probe_begun_ = poll.group->begun;
  probe_ended_ = now;
  wanted_now_ = patient_ = false;
  if (silent_polls_ > 1) line_.probes->silent(this, own_probe_due(), now);
}

MonoTime Device::own_probe_due() const {
  Duration interval = groups_.front().of.interval;
  for (const auto& group : groups_) interval = std::min(interval, group.of.interval);
  Duration distance = std::min(interval * (1 << std::min(silent_polls_, 10u)),
                               std::max(kLongestProbePause, interval));
  if (!line_.alone && others_online_ && silent_polls_ == 1 && !answer_time_.known())
    distance = std::max(distance, kFirstPause);
  return std::max<MonoTime>(probe_ended_, probe_begun_ + distance);
}

// Worked out when it is asked for, because it depends on how the others are doing. The first probe
// waits for nobody: one lost request is not yet a dead device.
MonoTime Device::probe_due() const {
  if (wanted_now_) return {};
  const auto own = own_probe_due();
  return shares_probes() ? line_.probes->due(this, own, context_.clock.mono()) : own;
}

std::optional<Error> Device::not_worth_asking() const {
  const auto now = context_.clock.mono();
  if (!is_silent() || line_.alone || probe_due() <= now) return std::nullopt;
  const auto since =
      last_answer_at_ == Time{} ? std::string("the start") : to_rfc3339(last_answer_at_);
  const auto left = std::chrono::duration_cast<Duration>(probe_due() - now);
  return Error{Errc::timeout,
               fmt::format("the device is silent since {}: not asked, its next probe is in {}",
                           since, for_people(left)),
               0};
}

void Device::unreachable(const Error& why) {
  last_error_ = why;
  last_error_at_ = context_.clock.now();
  reachable_ = false;
}

// The power of ten of a point may stand in another block of the same poll, or in another group.
void Device::read_powers(const Poll& poll) {
  if (!has_powers_) return;
  for (std::size_t which = 0; which < poll.blocks->size(); ++which) {
    const auto& block = (*poll.blocks)[which];
    for (const auto place : block.points) {
      const auto point = poll.group->of.points[place];
      if (!is_power_[point]) continue;
      powers_[point].reset();
      if (poll.data[which] < 0) continue;
      const auto& data = poll.readings.blocks[static_cast<std::size_t>(poll.data[which])].data;
      const auto address = setup_.points[point].where.address;
      if (address < block.first) continue;
      const std::size_t at = std::size_t{2} * (address - block.first);
      if (at + 1 < data.size()) powers_[point] = static_cast<std::int16_t>(load_u16(&data[at]));
    }
  }
}

void Device::read_block(Poll& poll, const Block& block, Bytes data) const {
  for (const auto place : block.points) {
    const auto& plain = plain_[poll.group->of.points[place]];
    // No point stands before its block, whatever else is wrong.
    const bool inside = plain.address >= block.first;
    const auto at = inside ? std::size_t{2} * (plain.address - block.first) : data.size();
    auto& reading = poll.readings.readings[place];
    if (inside && plain.value && at + plain.value.bytes() <= data.size()) {
      const bool good = plain.value.decode(&data[at], reading.value);
      reading.reason = good ? Reason::none : Reason::not_available;
      reading.code = 0;
    } else {
      reading = read_point(poll, place, block, data);
    }
  }
}

Reading Device::read_point(const Poll& poll, std::size_t place, const Block& block,
                           Bytes data) const {
  const auto which = poll.group->of.points[place];
  const auto& point = setup_.points[which];
  Reading reading{point_ids_[which], {}, Reason::none, 0};
  if (point.where.address < block.first) {
    reading.reason = Reason::crc;
    return reading;
  }
  const std::size_t offset = point.where.address - block.first;
  if (is_bits(block.space)) {
    if (offset / 8 >= data.size())
      reading.reason = Reason::crc;
    else
      reading.value = (data[offset / 8] >> (offset % 8) & 1) != 0;
    return reading;
  }
  std::optional<std::int16_t> power;
  if (const int scale = scale_points_[which]; scale >= 0) {
    power = powers_[static_cast<std::size_t>(scale)];
    if (!power) {
      reading.reason = Reason::not_available;
      return reading;
    }
  }
  if (2 * (offset + point.where.count) > data.size()) {
    reading.reason = Reason::crc;
    return reading;
  }
  std::array<std::uint16_t, 128> registers;
  const auto count = std::min<std::size_t>(point.where.count, registers.size());
  for (std::size_t i = 0; i < count; ++i) registers[i] = load_u16(&data[2 * (offset + i)]);
  auto decoded = modbus::decode(point.spec, std::span(registers).first(count), power);
  reading.value = std::move(decoded.value);
  switch (decoded.why) {
    case modbus::Why::none:
      break;
    case modbus::Why::out_of_range:
      reading.reason = Reason::out_of_range;
      break;
    default:
      reading.reason = Reason::not_available;
  }
  return reading;
}

}  // namespace lightship::poller
