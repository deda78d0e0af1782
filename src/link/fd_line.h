// The ByteLine over one file descriptor of the kernel: what serial, TCP and UDP have in common.
//
// A read is tried at once; only when nothing is there does the coroutine wait for readiness. The
// time-outs use one timer for each direction, made with the line, so a read allocates nothing but
// Asio's recycled blocks.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "link/byte_line.h"

namespace lightship::link {

class FdLine : public ByteLine {
 public:
  enum class Kind { tty, stream_socket, datagram_socket };

  // Takes `fd`, which must be non-blocking. `clock` outlives the line.
  FdLine(asio::any_io_executor executor, Clock& clock, int fd, Kind kind, std::string name);
  ~FdLine() override;
  FdLine(const FdLine&) = delete;
  FdLine& operator=(const FdLine&) = delete;

  Task<Result<void>> write(Bytes bytes) override;
  Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into, MonoTime until) override;
  std::size_t discard(std::span<std::uint8_t> first = {}) override;
  MonoTime last_byte_at() const override { return last_byte_at_; }
  std::string_view name() const override { return name_; }
  bool message_boundaries() const override { return kind_ == Kind::datagram_socket; }
  bool is_open() const override { return fd_.is_open(); }
  void close() override;

 protected:
  int fd() const { return const_cast<FdLine*>(this)->fd_.native_handle(); }

 private:
  struct Alarm;
  using WaitKind = asio::posix::descriptor_base::wait_type;

  // Nothing: ready, or worth another try. An error: timeout or closed.
  Task<Result<void>> ready(WaitKind kind, std::shared_ptr<Alarm> alarm, MonoTime until);
  std::ptrdiff_t try_read(std::span<std::uint8_t> into);
  Error why_ended(int error_number, std::string_view doing) const;
  Error closed_here() const;

  Clock& clock_;
  asio::posix::stream_descriptor fd_;
  std::shared_ptr<Alarm> read_alarm_;
  std::shared_ptr<Alarm> write_alarm_;
  MonoTime last_byte_at_{};
  bool emptied_ = false;  // the newest read took all there was, so the next one first waits
  Kind kind_;
  std::string name_;
};

}  // namespace lightship::link
