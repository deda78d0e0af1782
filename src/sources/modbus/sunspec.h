// SunSpec: where a device keeps its models, and the points of a meter at their true addresses.
//
// A SunSpec device begins with the text "SunS" at 40000, 50000 or 0 (holding registers); behind it
// stand its models one after the other, each as id, length and that many registers, up to the id
// 0xFFFF. A meter file gives addresses from the model's id register; where that is, only the
// device knows.
//
// How a poller uses it, when a device of `DeviceSetup::is_sunspec()` is first reached and after
// each reconnect:
//
//   const auto chain = co_await walk_sunspec(ask, setup.sunspec_bases);
//   if (!chain) ...                    // tell it; timeout: the device is silent, try again later;
//                                      // anything else: it is no SunSpec device
//   auto points = resolve(setup.points, *chain);
//   if (!points) ...                   // the device has other models than the meter wants; tell it
//
// `points` are the same points in the same order, so names and catalog ids stay; their `where`,
// `spec` and `scale_register` may have changed: plan anew, look up the scale points anew. A point
// that the device does not have has `where.count` 0: leave it out of the plan and give it
// Reason::not_available. Until then `where` holds the usual place (base 40000), which is good
// enough for a plan on paper, not for reading.
//
// SunSpec Information Model Specification, sections 4 and 6.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "codec/modbus/decode_value.h"
#include "core/register_image.h"

namespace lightship::poller {

// Reads registers of one device, with the asker's own patience and retries: the whole count, or why
// not (refused with the exception in `detail`, timeout, crc ...). Everything it needs must outlive
// the asking.
using AskRegisters = std::function<Task<Result<std::vector<std::uint16_t>>>(
    Space space, std::uint16_t first, std::uint16_t count)>;

// Where a chain may begin, in the order of trying.
inline const std::vector<std::uint16_t> kSunspecBases{40000, 50000, 0};

// A refusal that says nothing of what was asked: the device cannot answer now (exceptions 4 to 6, a
// booting one gives 4 for seconds), or a gateway in between spoke (10, 11). 1 to 3 are answers.
bool is_unclear(const Error& error);

struct SunspecChain {
  struct Model {
    std::uint16_t id = 0;
    std::uint16_t at = 0;      // wire address of its id register
    std::uint16_t length = 0;  // registers behind id and length
    friend bool operator==(const Model&, const Model&) = default;
  };
  std::uint16_t base = 0;
  std::vector<Model> models;
  bool ended = true;  // false: without the end mark, the device refused to go on
  // With this exception, where it says nothing of the place (`is_unclear`): there may be more.
  int unclear = 0;

  std::string ids() const;  // "1, 103, 203"
  friend bool operator==(const SunspecChain&, const SunspecChain&) = default;
};

// The walk without the asking: what to read next, and what came. Bounded: three bases and
// kMostModels headers.
class SunspecWalk {
 public:
  static constexpr std::size_t kMostModels = 128;

  explicit SunspecWalk(std::vector<std::uint16_t> bases);

  struct Wanted {
    std::uint16_t first, count;  // holding registers
  };
  std::optional<Wanted> next() const;  // nothing: it is over
  void take(const Result<std::vector<std::uint16_t>>& answer);
  bool looking() const { return !header_; }  // for "SunS"; else reading the chain

  // The chain, once `next` has nothing left. Errors: what the asking gave where that ended it, or
  // left open whether a base has "SunS"; refused where none has; malformed for a chain that cannot
  // be one.
  Result<SunspecChain> result() const;

 private:
  void give_up_base(Error why);

  std::vector<std::uint16_t> bases_;
  std::size_t base_ = 0;
  std::optional<std::uint16_t> header_;  // where the next id is; nothing: still looking for "SunS"
  SunspecChain chain_;
  std::optional<Error> error_, unclear_;
  bool over_ = false;
};

Task<Result<SunspecChain>> walk_sunspec(AskRegisters ask,
                                        std::vector<std::uint16_t> bases = kSunspecBases);

// Where a point stands when one of `models` is what the device has. A point of several meters (the
// meter `sunspec`) has several places.
struct SunspecPlace {
  std::vector<std::uint16_t> models;
  std::uint16_t offset = 0;  // from the model's id register
  std::uint16_t count = 1;
  modbus::PointSpec spec;
  std::string scale_register;
  friend bool operator==(const SunspecPlace&, const SunspecPlace&) = default;
};

struct DevicePoint;

// The subject is the first model of the chain, beside the common one, that any point has a place
// in; every point is taken from it, or from the common model (1) that stands before it.
// Errc::refused when the device has no such model.
Result<std::vector<DevicePoint>> resolve(const std::vector<DevicePoint>& points,
                                         const SunspecChain& chain);

// The chain of a device with nothing but the common model and the wanted one, for plans on paper.
SunspecChain usual_chain(const std::vector<DevicePoint>& points);

// The mark of "not implemented" of a type, in hex as in `not_available`; nothing for those that
// have none (a float's NaN is understood without).
std::optional<std::string> sunspec_mark(modbus::DataType type);

}  // namespace lightship::poller
