// Modbus TCP and Modbus over UDP: transactions matched by their id, several in flight where
// allowed.
//
// An answer whose transaction was given up is counted as late and dropped. A header that cannot be
// is the end of a TCP connection, and of one datagram.
#pragma once

#include <map>

#include "sources/modbus/conversation.h"

namespace lightship::poller {

class MbapConversation final : public Conversation {
 public:
  MbapConversation(std::unique_ptr<link::ByteLine> line, Clock& clock,
                   asio::any_io_executor executor);
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
  };
  void take(std::uint16_t transaction, std::uint8_t unit, Bytes pdu);
  void end_all(const Error& why);

  std::unique_ptr<link::ByteLine> line_;
  Clock& clock_;
  asio::any_io_executor executor_;
  std::map<std::uint16_t, Open*> open_;
  std::uint16_t last_transaction_ = 0;
  std::uint64_t late_ = 0;  // counted with the next request
};

}  // namespace lightship::poller
