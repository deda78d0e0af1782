// What answers under a unit id: a device out of its register image, or points laid into registers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/cache.h"
#include "core/catalog.h"
#include "sinks/modbus_gateway/config.h"

namespace lightship::gateway {

using Outcome = RegisterImage::Outcome;

class Unit {
 public:
  virtual ~Unit() = default;

  // Appends the wire form of the range, or nothing when it cannot be given whole. `first + count`
  // may be past 65536: nothing is polled there.
  virtual Outcome read(Space space, std::uint32_t first, std::uint32_t count, MonoTime now,
                       ByteVector& out) = 0;

  // Who could be asked for what is not in the cache.
  virtual std::optional<DeviceId> device() { return std::nullopt; }

  // The device that writes go to; nothing where they are refused.
  virtual std::optional<DeviceId> writable() { return std::nullopt; }
};

// A device with expose_via_tcp.
struct Exposed {
  std::string device;  // main-panel/meter-1
  std::uint8_t unit = 0;
  std::optional<Duration> max_age;
};

class DeviceUnit final : public Unit {
 public:
  DeviceUnit(const Catalog& catalog, Cache& cache, Exposed exposed, Duration cache_ttl);
  Outcome read(Space space, std::uint32_t first, std::uint32_t count, MonoTime now,
               ByteVector& out) override;
  std::optional<DeviceId> device() override;
  std::optional<DeviceId> writable() override;

 private:
  const Catalog& catalog_;
  Cache& cache_;
  Exposed exposed_;
  Duration oldest_;
  std::optional<DeviceId> id_;  // known once the device's driver has named it
  RegisterImage* image_ = nullptr;
};

// Points under addresses of the configuration's choice, the same for functions 3 and 4.
class MappedUnit final : public Unit {
 public:
  MappedUnit(const Catalog& catalog, Cache& cache, Duration cache_ttl)
      : catalog_(catalog), cache_(cache), cache_ttl_(cache_ttl) {}

  void add(const MapEntry& entry);
  Outcome read(Space space, std::uint32_t first, std::uint32_t count, MonoTime now,
               ByteVector& out) override;

 private:
  struct Place {
    MapEntry entry;
    std::optional<PointId> point;    // nothing: not named yet, or the device's own `online`
    std::optional<DeviceId> device;  // whose `online` it is
  };
  struct Known {
    Value value;
    Reason reason = Reason::stale;
    MonoTime arrived = MonoTime::min();
  };
  const Place* covering(std::uint32_t address) const;
  Known look(Place& place, MonoTime now);
  Value show(Place& place, MonoTime now);  // nothing: no value to trust

  const Catalog& catalog_;
  Cache& cache_;
  Duration cache_ttl_;
  std::vector<Place> places_;  // by address, not overlapping
};

// All 256 unit ids.
class Units {
 public:
  Units(const Catalog& catalog, Cache& cache, const std::vector<Exposed>& exposed,
        const GatewayConfig& config);
  Unit* find(std::uint8_t id) const { return units_[id].get(); }

 private:
  std::array<std::unique_ptr<Unit>, 256> units_;
};

}  // namespace lightship::gateway
