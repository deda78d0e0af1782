// Walks a chain of models and lays a meter's points over it.
#include "sources/modbus/sunspec.h"

#include <algorithm>

#include "base/text.h"
#include "sources/modbus/device.h"

namespace lightship::poller {
namespace {

using modbus::DataType;

constexpr std::uint16_t kSunS[] = {0x5375, 0x6E53};
constexpr std::uint16_t kEnd = 0xFFFF, kCommon = 1;
constexpr std::uint16_t kCommonLength = 66, kHeader = 2;
constexpr std::uint32_t kAddresses = 65536;

bool has(const std::vector<std::uint16_t>& models, std::uint16_t id) {
  return std::ranges::find(models, id) != models.end();
}

std::string numbers(const std::vector<std::uint16_t>& ids) {
  return fmt::format("{}", fmt::join(ids, ", "));
}

// All models, beside the common one, that some point has a place in.
std::vector<std::uint16_t> subjects(const std::vector<DevicePoint>& points) {
  std::vector<std::uint16_t> ids;
  for (const auto& point : points) {
    for (const auto& place : point.sunspec)
      std::ranges::copy(place.models, std::back_inserter(ids));
  }
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  std::erase(ids, kCommon);
  return ids;
}

// The place of the point in one of the two models, as it is on the wire.
void put(DevicePoint& point, const SunspecChain::Model* subject,
         const SunspecChain::Model* common) {
  point.where = {Space::holding, 0, 0};
  for (const auto& place : point.sunspec) {
    for (const auto* model : {subject, common}) {
      if (model == nullptr || !has(place.models, model->id)) continue;
      if (place.offset + place.count > kHeader + model->length) continue;  // an older, shorter one
      point.where.address = static_cast<std::uint16_t>(model->at + place.offset);
      point.where.count = place.count;
      point.spec = place.spec;
      point.scale_register = place.scale_register;
      return;
    }
  }
}

}  // namespace

bool is_unclear(const Error& error) { return error.code == Errc::refused && error.detail > 3; }

std::string SunspecChain::ids() const {
  std::vector<std::uint16_t> all;
  for (const auto& model : models) all.push_back(model.id);
  return numbers(all);
}

SunspecWalk::SunspecWalk(std::vector<std::uint16_t> bases) : bases_(std::move(bases)) {
  if (bases_.empty()) bases_ = kSunspecBases;
  if (bases_.size() > kSunspecBases.size()) bases_.resize(kSunspecBases.size());
}

std::optional<SunspecWalk::Wanted> SunspecWalk::next() const {
  if (over_) return std::nullopt;
  return Wanted{header_.value_or(bases_[base_]), 2};
}

void SunspecWalk::give_up_base(Error why) {
  error_ = std::move(why);
  header_.reset();
  chain_ = {};
  over_ = ++base_ == bases_.size();
}

void SunspecWalk::take(const Result<std::vector<std::uint16_t>>& answer) {
  if (over_) return;
  // Silence is no answer about the base.
  if (!answer && (answer.error().code != Errc::refused || is_from_gateway(answer.error()))) {
    error_ = answer.error();
    over_ = true;
    return;
  }
  const bool unclear = !answer && is_unclear(answer.error());
  if (!header_) {
    const bool is_base =
        answer && answer->size() >= 2 && (*answer)[0] == kSunS[0] && (*answer)[1] == kSunS[1];
    if (!is_base) {
      // Another base may have it; where none has, this one is still open.
      if (unclear && !unclear_) unclear_ = answer.error();
      give_up_base(unclear_.value_or(
          Error{Errc::refused,
                fmt::format("no SunSpec device: \"SunS\" is not at {}", fmt::join(bases_, ", "))}));
      return;
    }
    chain_.base = bases_[base_];
    header_ = static_cast<std::uint16_t>(chain_.base + kHeader);
    error_.reset();
    return;
  }
  if (unclear && chain_.models.empty()) {
    error_ = answer.error();
    over_ = true;
    return;
  }
  if (!answer || answer->size() < 2) {
    // Some devices lack the end mark and refuse what lies behind their last model.
    if (chain_.models.empty())
      return give_up_base(answer ? Error{Errc::malformed, "too short"} : answer.error());
    chain_.ended = false;
    chain_.unclear = unclear ? static_cast<int>(answer.error().detail) : 0;
    over_ = true;
    return;
  }
  const auto id = (*answer)[0], length = (*answer)[1];
  if (id == kEnd) {
    over_ = true;
    if (chain_.models.empty()) error_ = Error{Errc::malformed, "the SunSpec device has no models"};
    return;
  }
  const auto after = std::uint32_t{*header_} + kHeader + length;
  const auto malformed = [&](std::string why) {
    error_ = Error{Errc::malformed, std::move(why)};
    over_ = true;
  };
  if (id == 0)
    return malformed(fmt::format("the chain of SunSpec models has the id 0 at {}", *header_));
  if (after + kHeader > kAddresses)
    return malformed(
        fmt::format("the SunSpec model {} at {} is said to have {} registers, which "
                    "ends past register 65535",
                    id, *header_, length));
  chain_.models.push_back({id, *header_, length});
  if (chain_.models.size() == kMostModels)
    return malformed(fmt::format("the chain of SunSpec models has no end after {}", kMostModels));
  header_ = static_cast<std::uint16_t>(after);
}

Result<SunspecChain> SunspecWalk::result() const {
  if (error_) return fail(*error_);
  return chain_;
}

Task<Result<SunspecChain>> walk_sunspec(AskRegisters ask, std::vector<std::uint16_t> bases) {
  SunspecWalk walk(std::move(bases));
  while (const auto wanted = walk.next()) {
    const auto answer = co_await ask(Space::holding, wanted->first, wanted->count);
    walk.take(answer);
  }
  co_return walk.result();
}

Result<std::vector<DevicePoint>> resolve(const std::vector<DevicePoint>& points,
                                         const SunspecChain& chain) {
  const auto wanted = subjects(points);
  const SunspecChain::Model *subject = nullptr, *common = nullptr;
  for (const auto& model : chain.models) {
    if (model.id == kCommon) common = &model;
    if (wanted.empty() && common != nullptr) break;
    if (has(wanted, model.id)) {
      subject = &model;
      break;
    }
  }
  if (subject == nullptr && !wanted.empty()) {
    return fail(Errc::refused, "the device has the SunSpec models {}, expected one of {}",
                chain.ids(), numbers(wanted));
  }
  std::vector<DevicePoint> resolved = points;
  for (auto& point : resolved) {
    if (!point.sunspec.empty()) put(point, subject, common);
  }
  return resolved;
}

SunspecChain usual_chain(const std::vector<DevicePoint>& points) {
  SunspecChain chain;
  chain.base = kSunspecBases.front();
  const auto first = static_cast<std::uint16_t>(chain.base + kHeader);
  chain.models.push_back({kCommon, first, kCommonLength});
  const auto wanted = subjects(points);
  std::uint16_t length = 0;
  for (const auto& point : points) {
    for (const auto& place : point.sunspec) {
      if (!wanted.empty() && has(place.models, wanted.front()))
        length = std::max<std::uint16_t>(length, place.offset + place.count - kHeader);
    }
  }
  if (!wanted.empty()) {
    chain.models.push_back(
        {wanted.front(), static_cast<std::uint16_t>(first + kHeader + kCommonLength), length});
  }
  return chain;
}

std::optional<std::string> sunspec_mark(DataType type) {
  switch (type) {
    case DataType::int16:
    case DataType::sunssf:
      return "8000";
    case DataType::uint16:
    case DataType::enum16:
      return "FFFF";
    case DataType::int32:
    case DataType::bitfield32:
      return "80000000";
    case DataType::uint32:
      return "FFFFFFFF";
    case DataType::acc32:
      return "00000000";
    case DataType::int64:
      return "8000000000000000";
    case DataType::uint64:
      return "FFFFFFFFFFFFFFFF";
    case DataType::string:
      return "00";
    default:
      return std::nullopt;
  }
}

}  // namespace lightship::poller
