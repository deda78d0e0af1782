// One WebSocket (RFC 6455) as its server sees it: text in, text out, an end.
//
// On the portal's loop only. At most one `read` and one `write` wait at a time. Pings, pongs and
// time-outs of a peer that is gone are dealt with underneath.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"

namespace lightship::portal {

class WebSocket {
 public:
  virtual ~WebSocket() = default;
  // The next text message. Errc::closed when the peer has ended it, is gone, or sent what is too
  // long or no text.
  virtual Task<Result<std::string>> read() = 0;
  // Returns when the bytes are with the kernel. Errc::timeout when the peer takes nothing for too
  // long; the connection is over then.
  virtual Task<Result<void>> write(std::shared_ptr<const std::string> text) = 0;
  // Says goodbye with a code (RFC 6455, 7.4) and a reason of at most 123 bytes; waits a little for
  // the peer's.
  virtual Task<void> close(std::uint16_t code, std::string_view reason) = 0;
  // Ends it at once, from anywhere on the loop; who reads or writes is told Errc::closed.
  virtual void drop() = 0;
};

}  // namespace lightship::portal
