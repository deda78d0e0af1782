// Interning of devices and points.
#include "core/catalog.h"

#include <algorithm>

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

PointId Catalog::point(DeviceId device, std::string_view name, std::string_view unit,
                       RegisterImage::Range registers) {
  auto& owner = devices_[index(device)];
  const auto known = place_of(owner, name);
  if (is_at(owner, known, name)) {
    auto& point = points_[index(*known)];
    point.unit = names_.intern(unit);
    point.registers = registers;
    return *known;
  }
  const auto id = static_cast<PointId>(points_.size());
  points_.push_back({device, static_cast<std::uint32_t>(owner.points.size()), names_.intern(name),
                     names_.intern(unit), registers});
  owner.by_name.insert(known, id);
  owner.points.push_back(id);
  return id;
}

void Catalog::set_points(DeviceId device, std::vector<PointId> points) {
  for (std::uint32_t slot = 0; slot < points.size(); ++slot)
    points_[index(points[slot])].slot = slot;
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
  const auto& owner = devices_[index(*device)];
  const auto name = full_name.substr(slash + 1);
  const auto place = place_of(owner, name);
  if (!is_at(owner, place, name)) return std::nullopt;
  return *place;
}

std::vector<PointId>::const_iterator Catalog::place_of(const Device& owner,
                                                       std::string_view name) const {
  return std::ranges::lower_bound(owner.by_name, name, {}, [this](PointId id) -> std::string_view {
    return points_[index(id)].name;
  });
}

std::string Catalog::full_name(PointId id) const {
  const auto& point = info(id);
  return info(point.device).id() + "/" + point.name.str();
}

std::vector<DeviceId> Catalog::devices() const {
  std::vector<DeviceId> ids;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (!devices_[i].retired) ids.push_back(static_cast<DeviceId>(i));
  }
  return ids;
}

}  // namespace lightship
