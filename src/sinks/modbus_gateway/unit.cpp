// Units out of register images.
#include "sinks/modbus_gateway/unit.h"

#include <algorithm>

namespace lightship::gateway {

DeviceUnit::DeviceUnit(const Catalog& catalog, Cache& cache, Exposed exposed, Duration cache_ttl)
    : catalog_(catalog),
      cache_(cache),
      exposed_(std::move(exposed)),
      oldest_(std::min(cache_ttl, exposed_.max_age.value_or(cache_ttl))) {}

std::optional<DeviceId> DeviceUnit::device() {
  if (!id_ && (id_ = catalog_.find_device(exposed_.device))) image_ = &cache_.image(*id_);
  return id_;
}

std::optional<DeviceId> DeviceUnit::writable() {
  const auto id = device();
  if (!id || !catalog_.info(*id).allow_write) return std::nullopt;
  return id;
}

Outcome DeviceUnit::read(Space space, std::uint32_t first, std::uint32_t count, MonoTime now,
                         ByteVector& out) {
  if (!image_ && !device()) return Outcome::not_fresh;
  return image_->read(space, first, count, now - oldest_, out);
}

Units::Units(const Catalog& catalog, Cache& cache, const std::vector<Exposed>& exposed,
             const GatewayConfig& config) {
  for (const auto& device : exposed) {
    units_[device.unit] = std::make_unique<DeviceUnit>(catalog, cache, device, config.cache_ttl);
  }
  std::array<MappedUnit*, 256> mapped{};
  for (const auto& entry : config.map) {
    auto& unit = mapped[entry.unit];
    if (!unit) {
      auto fresh = std::make_unique<MappedUnit>(catalog, cache, config.cache_ttl);
      unit = fresh.get();
      units_[entry.unit] = std::move(fresh);
    }
    unit->add(entry);
  }
}

}  // namespace lightship::gateway
