// Adds up what was overheard.
#include "sources/modbus/line_report.h"

#include <algorithm>

#include "codec/modbus/overload.h"

namespace lightship::poller {
namespace {

constexpr std::size_t kMostTimes = 4096;
// A master polls a few blocks of each of 247 devices; what roams over the addresses is no poll.
constexpr std::size_t kMostRanges = 4096;

}  // namespace

void AnswerTimes::add(std::chrono::nanoseconds time) {
  max_ = std::max(max_, time);
  if (count_++ % every_ != 0) return;
  kept_.push_back(time);
  if (kept_.size() < kMostTimes) return;
  for (std::size_t i = 0; 2 * i < kept_.size(); ++i) kept_[i] = kept_[2 * i];
  kept_.resize(kept_.size() / 2);
  every_ *= 2;
}

std::chrono::nanoseconds AnswerTimes::quantile(double part) const {
  if (kept_.empty()) return {};
  auto sorted = kept_;
  const auto at = std::min(sorted.size() - 1,
                           static_cast<std::size_t>(part * static_cast<double>(sorted.size())));
  std::ranges::nth_element(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(at));
  return sorted[at];
}

std::optional<std::chrono::nanoseconds> AskedHow::interval() const {
  if (times < 2) return std::nullopt;
  return (last - first) / static_cast<std::int64_t>(times - 1);
}

std::optional<AskedRange> range_of(std::uint8_t unit, const modbus::Request& request) {
  const auto range = [&](std::uint16_t address, std::size_t count) {
    return AskedRange{unit, modbus::code(modbus::function_of(request)), address,
                      static_cast<std::uint16_t>(count)};
  };
  using Maybe = std::optional<AskedRange>;
  return std::visit(
      modbus::Overload{
          [&](const modbus::Read& r) -> Maybe { return range(r.address, r.count); },
          [&](const modbus::WriteCoil& r) -> Maybe { return range(r.address, 1); },
          [&](const modbus::WriteRegister& r) -> Maybe { return range(r.address, 1); },
          [&](const modbus::WriteCoils& r) -> Maybe { return range(r.address, r.values.count); },
          [&](const modbus::WriteRegisters& r) -> Maybe {
            return range(r.address, r.values.size());
          },
          [&](const modbus::MaskWrite& r) -> Maybe { return range(r.address, 1); },
          [&](const modbus::ReadWrite& r) -> Maybe { return range(r.read_address, r.read_count); },
          [&](const modbus::ReadFifo& r) -> Maybe { return range(r.address, 1); },
          [](const auto&) -> Maybe { return std::nullopt; },
      },
      request);
}

void LineReport::take(const modbus::Overheard& heard) {
  using Kind = modbus::Overheard::Kind;
  bytes_ += heard.bytes.size();
  switch (heard.kind) {
    case Kind::request:
      return take_request(heard);
    case Kind::answer:
      return take_answer(heard);
    case Kind::damaged:
      ++damaged_;
      // A damaged frame may carry any unit; only one that is known already is believed.
      if (const auto unit = units_.find(heard.unit); unit != units_.end()) ++unit->second.damaged;
      return;
    case Kind::noise:
      noise_bytes_ += heard.bytes.size();
      return;
  }
}

void LineReport::take_request(const modbus::Overheard& heard) {
  ++requests_;
  if (open_) ++units_[*open_].unanswered;
  open_.reset();
  auto& unit = units_[heard.unit];
  ++unit.requests;
  if (heard.repeated) ++unit.repeated;
  if (heard.unit != modbus::kBroadcast) open_ = heard.unit;
  if (!heard.request || heard.repeated) return;  // asked again is not asked more often
  const auto range = range_of(heard.unit, *heard.request);
  if (!range) return;
  auto how = asked_.find(*range);
  if (how == asked_.end()) {
    if (asked_.size() >= kMostRanges) return;
    how = asked_.emplace(*range, AskedHow{0, heard.begin, heard.begin}).first;
  }
  ++how->second.times;
  how->second.last = heard.begin;
}

void LineReport::take_answer(const modbus::Overheard& heard) {
  ++answers_;
  auto& unit = units_[heard.unit];
  if (heard.fit == modbus::Overheard::Fit::unasked) {
    ++unit.unasked;
    return;
  }
  if (heard.fit == modbus::Overheard::Fit::wrong) {
    ++unit.wrong;
    return;
  }
  open_.reset();
  ++unit.answers;
  if (heard.is_exception()) ++unit.exceptions[heard.pdu[1]];
  if (heard.answer_time) unit.answer_times.add(*heard.answer_time);
}

double LineReport::load(std::chrono::nanoseconds character, std::chrono::nanoseconds whole) const {
  if (whole.count() <= 0) return 0;
  return static_cast<double>(bytes_) * static_cast<double>(character.count()) /
         static_cast<double>(whole.count());
}

}  // namespace lightship::poller
