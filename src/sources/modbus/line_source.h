// The owner of one line or socket: asks every device behind it at its own interval and publishes.
//
// One coroutine per device keeps the device's time; a turnstile lets them speak one at a time (or
// as many as the connection allows), the one that is due first going first. The line is opened when
// it is needed and opened again after it was lost, with growing pauses; devices meanwhile are told
// as silent.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/backoff.h"
#include "core/busy_meter.h"
#include "core/frame_ring.h"
#include "core/part.h"
#include "core/request.h"
#include "sources/modbus/device.h"
#include "sources/modbus/turnstile.h"
#include "sources/modbus/writer.h"

namespace lightship::poller {

struct LineSetup {
  std::string id;    // connection id
  std::string line;  // for people: "serial /dev/ttyUSB0 9600 8N1"
  std::string label = {};
  bool is_serial = false, is_ascii = false;
  std::chrono::nanoseconds character{}, silence{};  // of a serial line
  FrameForm frames = {};
  Duration timeout = std::chrono::seconds(3);
  unsigned retries = 3;
  Duration pause_after_connect{};
  unsigned window = 1;  // requests under way at once
  std::vector<DeviceSetup> devices;
  // Opens the line. Called on the field loop; a new conversation each time.
  std::function<Task<Result<std::unique_ptr<Conversation>>>(Context&)> open;
};

class LineSource final : public Runner, public RegisterReader, public WriteLine {
 public:
  LineSource(Context& context, LineSetup setup);
  ~LineSource() override;

  Task<Error> run() override;
  void nudge() override;  // try at once, whatever the pauses say
  bool poll_now(DeviceId device) override;
  void describe_status(JsonWriter& json) const override;
  // line_view.cpp
  void look(View& view, ServiceView& me) const override;
  void look_at_plans(View& view) const override;
  bool look_at_points(PointsView& view) const override;

  Task<Result<ByteVector>> read_registers(DeviceId device, Space space, std::uint16_t first,
                                          std::uint16_t count, Duration limit) override;

  // Any request to one of the line's devices, before every poll that is due; its answer's PDU.
  // Errc::refused with the exception code in `detail`, Errc::timeout after `limit`,
  // Errc::unavailable when the line is not polled. A read is sent again when the connection turns
  // out to be closed; anything else is sent once, because it may have been done.
  Task<Result<ByteVector>> ask_for(DeviceId device, modbus::Request request,
                                   Duration limit) override;

  const Device* device(DeviceId id) const;  // nothing: not on this line

 private:
  // A request for somebody else and where its answer goes.
  struct Asked {
    explicit Asked(const asio::any_io_executor& on) : done(on, MonoTime::max()) {}
    asio::steady_timer done;  // never expires; cancelled when it is over
    std::optional<Result<ByteVector>> value;
  };
  Task<void> ask_before_polls(std::shared_ptr<Asked> asked, Device& device, modbus::Request request,
                              Duration limit);

  Task<void> poll_for_ever(Device& device, Device::Group& group);
  Task<Readings> poll(Device& device, Device::Group& group);
  Task<void> read_blocks(Device& device, Device::Poll& poll, std::size_t& next, bool& stop);
  Task<Result<ByteVector>> read_range(Device& device, const Device::Poll& poll, PlanPoint range,
                                      MonoTime& arrived);
  Task<Result<ByteVector>> ask_once(Device& device, Ask ask, Tally& tally);
  void count_silent();
  Duration alive_within() const;

  // learn_line.cpp: looking for the reason of what a device refuses.
  enum class Said { served, refused, silent, unclear };
  Task<Said> try_read(Device& device, const Device::Group& group, PlanPoint range, bool unhurried);
  Task<bool> learn_from(Device& device, Device::Poll& poll);
  Task<bool> search(Device& device, const Device::Poll& poll, std::size_t which, std::uint8_t code);
  Task<bool> walk(Device& device, Device::Poll& poll);
  Task<bool> look(Device& device, Device::Poll& poll);
  Task<Result<std::vector<std::uint16_t>>> read_words(Device& device, const Device::Poll& poll,
                                                      Space space, std::uint16_t first,
                                                      std::uint16_t count);
  Task<void> doubt_what_was_learned(Device& device, const Device::Poll& poll);
  Task<void> save_learned();
  // Held by whoever asks, so that a line which is opened anew does not take it from under an
  // answer.
  Task<Result<std::shared_ptr<Conversation>>> connected();
  std::shared_ptr<Conversation> conversation_at_once();
  void disconnected(const Error& why);

  Context& context_;
  LineSetup setup_;
  Log log_;
  std::shared_ptr<FrameLine> frames_;  // the line's own, so that a reload keeps it
  std::shared_ptr<LearnedStore> learned_;
  std::vector<std::unique_ptr<Device>> devices_;
  Turnstile turnstile_, dialing_;
  Backoff backoff_;
  MonoTime next_try_{};
  std::shared_ptr<Conversation> conversation_;
  std::unique_ptr<TaskGroup> serving_;  // what runs beside the conversation
  std::unique_ptr<TaskGroup> asked_;    // requests for others, while the line is polled
  std::unique_ptr<Heartbeat> heartbeat_;
  Writer writer_;
  Error last_error_;
  bool was_lost_ = false;
  bool just_opened_ = false;  // nothing was asked since
  Duration busy_{};           // time spent asking
  BusyMeter busy_lately_;
  MonoTime quiet_since_{};
  MonoTime started_{};
  Counter& connects_;
  Counter& losses_;
};

}  // namespace lightship::poller
