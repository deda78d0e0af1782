// Writing to the devices of one line: guarded, read back, audited.
//
// A write by name is judged (allowed, writable, range, step, rate), the old value read and compared
// with the expected one, the write sent with a function that the device takes, and what the device
// then holds read back. A write in registers (the Modbus gateway's) is judged by the points that it
// touches. Nothing is sent that is not in the audit already, and no write is sent twice after its
// answer was lost: reading back tells what happened. One device is written by one at a time.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "core/context.h"
#include "sources/modbus/device.h"
#include "sources/modbus/refusal_tally.h"
#include "sources/modbus/turnstile.h"
#include "sources/modbus/write_habits.h"
#include "sources/modbus/write_rate.h"
#include "sources/modbus/write_story.h"

namespace lightship::poller {

// Who has the line. Errors as LineSource::ask_for gives them.
class WriteLine {
 public:
  virtual ~WriteLine() = default;
  virtual Task<Result<ByteVector>> ask_for(DeviceId device, modbus::Request request,
                                           Duration limit) = 0;
};

class Writer final : public RegisterWriter {
 public:
  // Writes that wait for one device; a master that sends more is told that it is busy.
  static constexpr std::size_t kWaiting = 64;

  Writer(Context& context, WriteLine& line, const std::string& connection);
  ~Writer() override;

  // `setup` must live as long as the writer. Its points must be the device's in the catalog.
  void add(DeviceId device, const DeviceSetup& setup);

  void start();       // takes writes from now on
  Task<void> stop();  // ends those under way, each with its line in the audit

  Task<Result<Written>> write_point(DeviceId device, PointWrite write, Duration limit) override;
  Task<Result<ByteVector>> write_registers(DeviceId device, ByteVector pdu, std::string by,
                                           Duration limit) override;

 private:
  struct Target {
    Target(Context& context, DeviceId device, const DeviceSetup& what);
    DeviceId id;
    const DeviceSetup& setup;
    Turnstile turn;
    WriteHabits habits;
    WriteRate rate;
    std::map<std::size_t, MonoTime> written;  // by point, for min_interval
  };
  template <class T>
  struct Pending;
  struct Raw;

  Task<void> take_point(std::shared_ptr<Pending<Written>> pending, Target& target, PointWrite write,
                        MonoTime deadline);
  Task<void> take_raw(std::shared_ptr<Pending<ByteVector>> pending, Target& target, ByteVector pdu,
                      std::string by, MonoTime deadline);
  Task<Result<Written>> point_write(WriteStory& story, Target& target, const PointWrite& write,
                                    MonoTime deadline);
  Task<Result<ByteVector>> raw_write(WriteStory& story, Target& target, const ByteVector& pdu,
                                     MonoTime deadline);

  Result<void> may_write(const Target& target) const;
  Task<Result<void>> recall();  // what was written before this writer was there
  Result<void> not_too_often(Target& target, const std::vector<std::size_t>& points);
  void was_written(Target& target, const std::vector<std::size_t>& points);
  Task<Result<void>> begin(WriteStory& story);
  Task<void> tell_counted();  // once a minute, as long as there is something
  Task<void> tell_what_may_be_told();
  Task<void> end(WriteStory& story, Target& target, const Error* trouble, MonoTime begun);

  Task<Result<Words>> read(Target& target, Space space, std::uint16_t first, std::size_t count,
                           MonoTime deadline);
  Task<Result<std::optional<std::int16_t>>> power_of(Target& target, const DevicePoint& point,
                                                     MonoTime deadline);
  // Errc::refused and Errc::unavailable: it was not done. Any other error: nobody knows.
  Task<Result<void>> send(WriteStory& story, Target& target, const DevicePoint& point,
                          const modbus::Laid& laid, MonoTime deadline);
  Task<Result<ByteVector>> send_one(WriteStory& story, Target& target,
                                    const modbus::Request& request, MonoTime deadline);
  Task<Result<void>> judge_points(Target& target, const Raw& raw,
                                  const std::vector<std::size_t>& points, MonoTime deadline);
  Task<Result<ByteVector>> send_raw(WriteStory& story, Target& target, const Raw& raw,
                                    MonoTime deadline);
  void publish(Target& target, Space space, std::uint16_t first, const Words& words);

  Context& context_;
  WriteLine& line_;
  Log log_;
  std::deque<Target> targets_;
  std::unique_ptr<TaskGroup> tasks_;
  bool recalled_ = false;
  RefusalTally refused_;
  bool telling_ = false;
};

}  // namespace lightship::poller
