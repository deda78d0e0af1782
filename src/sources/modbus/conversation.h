// A conversation: requests and answers over one open line, whatever its framing.
//
// `ask` sends one request and returns its answer's PDU, already judged to belong to it. It does not
// retry: that is the device's business. What was heard beside the answer is added to the Tally.
#pragma once

#include <memory>

#include "base/clock.h"
#include "codec/modbus/pdu.h"
#include "codec/modbus/rejects.h"
#include "link/byte_line.h"

namespace lightship::poller {

// What one request cost and what was heard beside its answer.
struct Tally {
  modbus::Rejects rejects;
  std::uint64_t late = 0;   // answers to requests given up before
  std::uint64_t bytes = 0;  // heard in all
  Duration
      answer_time{};   // the device's own: from the end of the request to the start of its answer
  MonoTime arrived{};  // of the answer's last byte
  bool first = false;  // the first request since the line was opened
};

struct Ask {
  std::uint8_t unit = 1;
  modbus::Request request;
  Duration patience{};  // wait for the answer to begin
  Duration limit{};     // the longest wait of all, for an answer that comes in pieces
  Duration pause{};     // silence the device needs before a request, beyond the line's own
  int answers_as = -1;  // a further unit id that is taken for the asked one; -1: none
};

class Conversation {
 public:
  virtual ~Conversation() = default;

  // Errors: timeout (nothing of it came), crc (something came, damaged), malformed (an answer of
  // the wrong length: ask again at once), refused (an exception, code in detail), closed,
  // unavailable.
  virtual Task<Result<ByteVector>> ask(Ask ask, Tally& tally) = 0;

  // What must run beside the asking; returns when the line is gone. Ends when cancelled.
  virtual Task<void> serve() = 0;

  virtual bool alive() const = 0;
  virtual void close() = 0;
};

// The answer's PDU, or its exception as an error.
Result<ByteVector> settled(Bytes pdu);

}  // namespace lightship::poller
