// Asking is not telling: the few things that go against the flow are asked of one named owner.
//
// Here: reading registers of a device through the driver that owns its line, for a reader that may
// not be answered from the cache.
#pragma once

#include <map>

#include "base/result.h"
#include "base/task.h"
#include "core/point.h"
#include "core/register_image.h"

namespace lightship {

class RegisterReader {
 public:
  virtual ~RegisterReader() = default;
  // The wire form of the registers or bits. Errc::refused with the exception code in `detail`,
  // Errc::timeout after `limit`, Errc::unavailable when the line is not there.
  virtual Task<Result<ByteVector>> read_registers(DeviceId device, Space space, std::uint16_t first,
                                                  std::uint16_t count, Duration limit) = 0;
};

// Who answers for which device. A driver enters itself when it starts and leaves when it stops.
class Owners {
 public:
  void enter(DeviceId device, RegisterReader& owner) { readers_[device] = &owner; }
  void leave(DeviceId device, const RegisterReader& owner) {
    const auto known = readers_.find(device);
    if (known != readers_.end() && known->second == &owner) readers_.erase(known);
  }
  RegisterReader* reader(DeviceId device) const {
    const auto known = readers_.find(device);
    return known == readers_.end() ? nullptr : known->second;
  }

 private:
  std::map<DeviceId, RegisterReader*> readers_;
};

}  // namespace lightship
