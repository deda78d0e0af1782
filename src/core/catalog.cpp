// Interning of devices and points.
#include "core/catalog.h"

namespace lightship {

DeviceId Catalog::device(DeviceInfo info) {
  const auto known = by_id_.find(info.id());
  if (known != by_id_.end()) {
    auto& device = devices_[index(known->second)];
    device.info = std::move(info);
    device.retired = false;
    return known->second;
  }
  const auto id = static_cast<DeviceId>(devices_.size());
  by_id_.emplace(info.id(), id);
  devices_.push_back({std::move(info), {}, {}, false});
  return id;
}

void Catalog::retire(DeviceId id) { devices_[index(id)].retired = true; }

PointId Catalog::point(DeviceId device, std::string_view name, std::string unit,
                       RegisterImage::Range registers) {
  auto& owner = devices_[index(device)];
  const auto known = owner.by_name.find(name);
  if (known != owner.by_name.end()) {
    auto& point = points_[index(known->second)];
    point.unit = std::move(unit);
    point.registers = registers;
    return known->second;
  }
  const auto id = static_cast<PointId>(points_.size());
  points_.push_back({device, std::string(name), std::move(unit), owner.points.size(), registers});
  owner.by_name.emplace(std::string(name), id);
  owner.points.push_back(id);
  return id;
}

void Catalog::set_points(DeviceId device, std::vector<PointId> points) {
  for (std::size_t slot = 0; slot < points.size(); ++slot) points_[index(points[slot])].slot = slot;
  devices_[index(device)].points = std::move(points);
}

std::optional<DeviceId> Catalog::find_device(std::string_view id) const {
  const auto known = by_id_.find(id);
  if (known == by_id_.end() || devices_[index(known->second)].retired) return std::nullopt;
  return known->second;
}

std::optional<PointId> Catalog::find_point(std::string_view full_name) const {
  const auto slash = full_name.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto device = find_device(full_name.substr(0, slash));
  if (!device) return std::nullopt;
  const auto& by_name = devices_[index(*device)].by_name;
  const auto point = by_name.find(full_name.substr(slash + 1));
  if (point == by_name.end()) return std::nullopt;
  return point->second;
}

std::string Catalog::full_name(PointId id) const {
  const auto& point = info(id);
  return info(point.device).id() + "/" + point.name;
}

std::vector<DeviceId> Catalog::devices() const {
  std::vector<DeviceId> ids;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (!devices_[i].retired) ids.push_back(static_cast<DeviceId>(i));
  }
  return ids;
}

}  // namespace lightship
