// Modbus TCP and Modbus over UDP: transactions matched by their id, several in flight where
// allowed.
//
// An answer whose transaction was given up is counted as late and dropped. A header that cannot be
// is the end of a TCP connection, and of one datagram. Requests that are asked in the same turn of
// the loop leave a stream in one packet; over UDP each is a datagram of its own.
#pragma once

#include <map>

#include "core/frame_ring.h"
#include "sources/modbus/conversation.h"

namespace lightship::poller {

class MbapConversation final : public Conversation {
 public:
  MbapConversation(std::unique_ptr<link::ByteLine> line, Clock& clock,
                   asio::any_io_executor executor, std::shared_ptr<FrameLine> frames = nullptr);
  ~MbapConversation() override;

  Task<Result<ByteVector>> ask(Ask ask, Tally& tally) override;
  Task<void> serve() override;
  bool alive() const override { return line_->is_open(); }
  void close() override;

 private:
  struct Open {
    const Ask& ask;
    Tally& tally;
    asio::steady_timer called;
    std::optional<Result<ByteVector>> answer;
    std::uint64_t frame = 0;  // of the request, in the ring
  };
  Task<Result<void>> send_waiting();
  FrameFault take(std::uint16_t transaction, std::uint8_t unit, Bytes pdu);
  void keep_sent(Bytes frames);
  void keep(Bytes bytes, FrameFault fault, std::uint64_t about = 0);
  void end_all(const Error& why);

  std::unique_ptr<link::ByteLine> line_;
  Clock& clock_;
  asio::any_io_executor executor_;
  std::shared_ptr<FrameLine> frames_;
  std::map<std::uint16_t, Open*> open_;
  ByteVector outgoing_;     // requests that whoever sends takes along
  ByteVector leaving_;      // those that are being sent
  bool sending_ = false;    // somebody does
  bool pipelined_ = false;  // two were under way at once: it pays to wait for the others
  std::uint16_t last_transaction_ = 0;
  std::uint64_t late_ = 0;  // counted with the next request
};

}  // namespace lightship::poller
