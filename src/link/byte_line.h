// A line that carries bytes: a serial port, a TCP connection, a UDP socket, a script in a test.
//
// One line has one owner on the loop thread. One coroutine may read while another writes; two may
// not read at the same time. Whoever destroys a line has ended what reads and writes on it; `close`
// may be called at any time and makes a pending read or write end with Errc::closed.
//
// Cancelling the coroutine ends a wait with Asio's exception; every other end is a Result:
//   timeout      nothing came until `until`; the line is as good as before
//   unavailable  UDP only: the peer's host says that nobody listens there; the line may be used on
//   closed       the line is gone: hang-up, reset, unplugged, closed by us; open a new one
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"

namespace lightship::link {

class ByteLine {
 public:
  virtual ~ByteLine() = default;

  // Hands all of it to the kernel, or says why not. A serial port is then still sending it: the
  // last bit leaves bytes.size() * char_time later. A peer that takes nothing for 10 s is a
  // timeout.
  virtual Task<Result<void>> write(Bytes bytes) = 0;

  // At least one byte. What has arrived already is given even when `until` is past.
  virtual Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into, MonoTime until) = 0;

  // Drops what has arrived already, without waiting; returns how many bytes that was. As many as
  // fit are told in `first`.
  virtual std::size_t discard(std::span<std::uint8_t> first = {}) = 0;

  // When the newest byte was read, by the line's Clock; the epoch when none has come yet.
  virtual MonoTime last_byte_at() const = 0;

  virtual std::string_view name() const = 0;  // "serial /dev/ttyUSB0", "tcp 192.0.2.1:502"
  virtual bool message_boundaries() const { return false; }  // true: one read is one datagram
  virtual bool is_open() const = 0;
  virtual void close() = 0;
};

}  // namespace lightship::link
