// Asking is not telling: the few things that go against the flow are asked of one named owner.
//
// Here: reading registers of a device through the driver that owns its line, for a reader that may
// not be answered from the cache; and writing to a device that allows it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "base/value.h"
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

// A write to a named point, in the point's own unit.
struct PointWrite {
  PointId point{};
  Value value;
  std::optional<Value> expected;  // written only when the device holds this now
  std::string by;                 // for the audit: "command line", "gateway 192.0.2.7:50122"
};

struct Written {
  Value before, now;  // as read from the device before and after; nothing where it cannot be read
  Duration took{};
  Value value;  // what was asked for, as the point has it
};

// Why a write was refused by us: `detail` of Errc::invalid. The first four are the exceptions that
// a Modbus client gets for it.
enum WriteRefusal : int {
  kWriteNotAllowed = 1,    // allow_write, writable
  kWriteClosed = 2,        // writable: false
  kWriteBadValue = 3,      // type, range, step
  kWriteTooOften = 6,      // max_writes_per_minute, min_write_interval, too many waiting
  kWriteNotExpected = 100  // the device holds something else than expected
};

// A driver that may write. Every write is guarded (allow_write, writable, range, step, rate) and
// audited, whoever asks and however it ends.
class RegisterWriter {
 public:
  virtual ~RegisterWriter() = default;
  // Errors: Errc::invalid (a WriteRefusal in `detail`; nothing was written), refused (the device's
  // exception, code in `detail`), timeout, unavailable, and Errc::malformed where the device took
  // the write and holds something else. A value or expectation given as text is understood as the
  // point's type has it.
  virtual Task<Result<Written>> write_point(DeviceId device, PointWrite write, Duration limit) = 0;
  // A write as a Modbus request: function and data without unit id (functions 5, 6, 15, 16, 22,
  // 23), for who speaks in registers. The answer's function and data. The same errors, but what
  // we refuse is Errc::refused with the exception to answer in `detail`.
  virtual Task<Result<ByteVector>> write_registers(DeviceId device, ByteVector pdu, std::string by,
                                                   Duration limit) = 0;
};

// Who answers for which device. A driver enters itself when it starts and leaves when it stops.
class Owners {
 public:
  void enter(DeviceId device, RegisterReader& owner) { readers_[device] = &owner; }
  void enter(DeviceId device, RegisterWriter& owner) { writers_[device] = &owner; }
  void leave(DeviceId device, const RegisterReader& owner) { leave(readers_, device, owner); }
  void leave(DeviceId device, const RegisterWriter& owner) { leave(writers_, device, owner); }
  RegisterReader* reader(DeviceId device) const { return find(readers_, device); }
  RegisterWriter* writer(DeviceId device) const { return find(writers_, device); }

 private:
  template <class Owner>
  static void leave(std::map<DeviceId, Owner*>& owners, DeviceId device, const Owner& owner) {
    const auto known = owners.find(device);
    if (known != owners.end() && known->second == &owner) owners.erase(known);
  }
  template <class Owner>
  static Owner* find(const std::map<DeviceId, Owner*>& owners, DeviceId device) {
    const auto known = owners.find(device);
    return known == owners.end() ? nullptr : known->second;
  }

  std::map<DeviceId, RegisterReader*> readers_;
  std::map<DeviceId, RegisterWriter*> writers_;
};

}  // namespace lightship
