// A device's poll, what it teaches, and how it is told.
#include "sources/modbus/device.h"

#include <algorithm>
#include <bit>

#include "base/json_writer.h"
#include "base/text.h"
#include "codec/modbus/exception.h"

namespace lightship::poller {

using namespace std::chrono_literals;

namespace {

// No wait is shorter: a loaded gateway or a USB adapter may add this much to a fast device.
constexpr Duration kLeastPatience = 200ms;
// A device that is silent is asked once, this long or as long as it ever took, so that it does not
// hold the line for the others ...
constexpr Duration kProbePatience = 1s;
// ... except that of one that never answered the 8th, 16th, 32nd ... probe waits as long as is
// allowed: it may be slow, and the others have to bear that ever less often.
constexpr unsigned kPatientProbe = 8;
// A silent device is asked less and less often, up to this pause, so that its return shows soon.
constexpr Duration kLongestProbePause = 10s;

std::vector<std::uint16_t> words(Bytes data) {
  std::vector<std::uint16_t> out(data.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = load_u16(data.data() + 2 * i);
  return out;
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

Device::Device(DeviceSetup setup, Duration timeout, unsigned retries, bool alone, Context& context,
               Duration phase)
    : setup_(std::move(setup)),
      context_(context),
      schedule_(setup_.info.poll_interval, context.clock.mono(), phase),
      timeout_(timeout),
      retries_(retries),
      alone_(alone) {
  id_ = context.catalog.device(setup_.info);
  for (const auto& point : setup_.points) {
    point_ids_.push_back(context.catalog.point(
        id_, point.name, point.unit, {point.where.space, point.where.address, point.where.count}));
    int scale = -1;
    for (std::size_t i = 0; i < setup_.points.size(); ++i) {
      if (!point.scale_register.empty() && setup_.points[i].name == point.scale_register)
        scale = static_cast<int>(i);
    }
    scale_points_.push_back(scale);
  }
  context.catalog.set_points(id_, point_ids_);

  const auto counter = [&](std::string_view name, std::string_view help, Labels more = {}) {
    Labels labels{{"device", setup_.info.id()}};
    std::ranges::move(more, std::back_inserter(labels));
    return &context.metrics.counter(name, help, std::move(labels));
  };
  const auto failure = [&](const char* kind) {
    return counter("modbus_failures_total", "requests without a usable answer, by kind",
                   {{"kind", kind}});
  };
  const auto heard = [&](const char* kind) {
    return counter("modbus_foreign_total", "what was heard beside the answers, by kind",
                   {{"kind", kind}});
  };
  count_.polls = counter("modbus_polls_total", "polls of a device");
  count_.failed = counter("modbus_polls_failed_total", "polls without any answer");
  count_.requests = counter("modbus_requests_total", "requests sent");
  count_.retries = counter("modbus_retries_total", "requests sent again");
  count_.overruns =
      counter("modbus_overruns_total", "poll times that went by because the line was busy");
  count_.timeout = failure("timeout");
  count_.crc = failure("crc");
  count_.exception = failure("exception");
  count_.length = failure("length");
  count_.unreachable = failure("unreachable");
  count_.late = heard("late");
  count_.foreign = heard("foreign");
  count_.noise_bytes = heard("noise_bytes");
  count_.echo = heard("echo");
  replan();
}

void Device::replan() {
  std::vector<PlanPoint> points;
  for (const auto& point : setup_.points) points.push_back(point.where);
  blocks_ = plan(points, setup_.limits);
  std::vector<RegisterImage::Range> ranges;
  for (const auto& block : blocks_) ranges.push_back({block.space, block.first, block.count});
  context_.cache.image(id_).declare(ranges);
}

bool Device::give_up_gaps() {
  if (setup_.limits.max_gap == 0 || std::ranges::none_of(blocks_, &Block::gaps)) return false;
  setup_.limits.max_gap = 0;
  replan();
  return true;
}

Duration Device::patience(unsigned attempt) const {
  const Duration learned = std::max({kLeastPatience, 4 * typical_, 2 * slowest_});
  if (ever_answered_ && silent_polls_ == 0)
    return std::min(timeout_, learned * (1 << std::min(attempt, 10u)));
  if (alone_) return timeout_;
  if (!ever_answered_ && silent_polls_ >= kPatientProbe && std::has_single_bit(silent_polls_))
    return timeout_;
  return std::min(timeout_, std::max(kProbePatience, learned));
}

void Device::learn(const Result<ByteVector>& answer, const Tally& tally) {
  ++*count_.requests;
  reachable_ = true;
  *count_.late += tally.late;
  *count_.foreign += tally.rejects.unit + tally.rejects.function + tally.rejects.exception_code +
                     tally.rejects.mismatch;
  *count_.noise_bytes += tally.rejects.noise_bytes + tally.rejects.trailing_bytes;
  *count_.echo += tally.rejects.echo;
  recent_ += tally.rejects;
  if (answer || answer.error().code == Errc::refused) {
    typical_ = ever_answered_ ? (7 * typical_ + tally.answer_time) / 8 : tally.answer_time;
    slowest_ = std::max(tally.answer_time, slowest_ - slowest_ / 64);
    ever_answered_ = true;
    last_answer_at_ = context_.clock.now();
  }
  if (answer) return;
  switch (answer.error().code) {
    case Errc::refused:
      ++*count_.exception;
      break;
    case Errc::crc:
      ++*count_.crc;
      break;
    case Errc::malformed:
      ++*count_.length;
      break;
    case Errc::timeout:
      ++*count_.timeout;
      break;
    default:
      ++*count_.unreachable;
  }
}

void Device::begin_poll() {
  ++*count_.polls;
  poll_ = {};
  poll_.device = id_;
  poll_.readings.resize(point_ids_.size());
  for (std::size_t i = 0; i < point_ids_.size(); ++i) {
    poll_.readings[i] = {point_ids_[i], {}, Reason::timeout, 0};
  }
  poll_data_.assign(blocks_.size(), std::nullopt);
  poll_answered_ = false;
  first_asked_ = MonoTime::max();
  recent_ = {};
}

void Device::take(std::size_t which, const Result<ByteVector>& answer, MonoTime arrived) {
  const auto& block = blocks_[which];
  if (!answer) {
    last_error_ = answer.error();
    last_error_at_ = context_.clock.now();
    if (answer.error().code == Errc::refused) poll_answered_ = true;
    for (const auto point : block.points) {
      poll_.readings[point].reason = reason_of(answer.error());
      poll_.readings[point].code = static_cast<std::uint8_t>(answer.error().detail);
    }
    return;
  }
  poll_answered_ = true;
  // function, byte count, then the data; judged before it came here
  poll_.blocks.push_back({block.space, block.first, block.count,
                          ByteVector(answer->begin() + 2, answer->end()), arrived});
  poll_data_[which] = poll_.blocks.back().data;
}

Readings Device::finish_poll(Time now, MonoTime mono) {
  const auto took = std::chrono::duration_cast<Duration>(mono - std::min(first_asked_, mono));
  for (std::size_t which = 0; which < blocks_.size(); ++which) {
    if (!poll_data_[which]) continue;
    for (const auto point : blocks_[which].points) {
      poll_.readings[point] = read_point(point, blocks_[which], *poll_data_[which]);
    }
  }
  online_ = poll_answered_;
  polled_ = true;
  if (online_) {
    silent_polls_ = 0;
  } else {
    ++*count_.failed;
    ++silent_polls_;
    // Left out: as many times of the grid as make the pause double, up to the limit.
    const auto interval = schedule_.interval();
    const auto pause = std::min(interval * (1u << std::min(silent_polls_, 10u)),
                                std::max(kLongestProbePause, interval));
    if (pause > interval) schedule_.skip(static_cast<std::uint64_t>(pause / interval) - 1);
  }
  last_poll_ = took;
  poll_.online = online_;
  poll_.at = now;
  poll_.arrived = mono;
  poll_.poll = took;
  return std::move(poll_);
}

void Device::unreachable(const Error& why) {
  last_error_ = why;
  last_error_at_ = context_.clock.now();
  reachable_ = false;
}

Reading Device::read_point(std::size_t which, const Block& block, Bytes data) const {
  const auto& point = setup_.points[which];
  Reading reading{point_ids_[which], {}, Reason::none, 0};
  const std::size_t offset = point.where.address - block.first;
  if (is_bits(block.space)) {
    reading.value = offset / 8 < data.size() && (data[offset / 8] >> (offset % 8) & 1) != 0;
    return reading;
  }
  std::optional<std::int16_t> power;
  if (const int scale = scale_points_[which]; scale >= 0) {
    // The scale may stand in another block of the same poll.
    const auto& where = setup_.points[static_cast<std::size_t>(scale)].where;
    for (std::size_t other = 0; other < blocks_.size(); ++other) {
      const auto& candidate = blocks_[other];
      const bool inside = candidate.space == where.space && where.address >= candidate.first &&
                          where.address < candidate.first + candidate.count;
      const std::size_t at = 2u * (where.address - candidate.first);
      if (inside && poll_data_[other] && at + 1 < poll_data_[other]->size()) {
        power = static_cast<std::int16_t>(load_u16(poll_data_[other]->data() + at));
      }
    }
    if (!power) {
      reading.reason = Reason::not_available;
      return reading;
    }
  }
  if (2 * (offset + point.where.count) > data.size()) {
    reading.reason = Reason::crc;
    return reading;
  }
  auto decoded =
      modbus::decode(point.spec, words(data.subspan(2 * offset, 2u * point.where.count)), power);
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

std::string Device::condition() const {
  if (online_ && last_error_.code == Errc::refused &&
      last_error_at_ + 2 * schedule_.interval() > context_.clock.now()) {
    return "answers, with " + last_error_.text;
  }
  if (online_) return fmt::format("answers in {}", for_people(typical_));
  if (!polled_) return "not asked yet";
  if (!reachable_) return last_error_.text;
  if (last_error_.code == Errc::crc || recent_.crc > 0) {
    return "bytes with a bad check: look at baud rate, parity and termination";
  }
  if (recent_.unit > 0) return "answers from another unit: look at unit_id";
  if (last_error_.code == Errc::timeout)
    return "no bytes at all: look at wiring, power and unit_id";
  return last_error_.text;
}

void Device::describe_status(JsonWriter& json, const Clock& clock) const {
  json.begin_object();
  json.member("id", setup_.info.id());
  json.member("label", setup_.info.label);
  json.member("type", setup_.info.type);
  json.member("unit_id", static_cast<int>(setup_.info.unit));
  json.member("online", online_);
  json.member("condition", condition());
  json.member("poll_interval_ms", to_ms(setup_.info.poll_interval));
  json.member("requests_per_poll", blocks_.size());
  json.member("polls", count_.polls->value);
  json.member("failed", count_.failed->value);
  json.member("overruns", count_.overruns->value);
  json.member("retries", count_.retries->value);
  json.member("answer_ms", to_ms(typical_));
  json.member("poll_ms", to_ms(last_poll_));
  json.key("last_answer");
  if (last_answer_at_ == Time{})
    json.null();
  else
    json.value(to_rfc3339(last_answer_at_));
  json.key("age_ms");
  if (last_answer_at_ == Time{})
    json.null();
  else
    json.value(std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - last_answer_at_)
                   .count());
  json.key("failures").begin_object();
  json.member("timeout", count_.timeout->value).member("crc", count_.crc->value);
  json.member("exception", count_.exception->value).member("length", count_.length->value);
  json.member("unreachable", count_.unreachable->value).member("late", count_.late->value);
  json.member("foreign", count_.foreign->value);
  json.end_object();
  if (!last_error_.text.empty()) {
    json.member("last_error", last_error_.text).member("last_error_at", to_rfc3339(last_error_at_));
  }
  json.end_object();
}

}  // namespace lightship::poller
