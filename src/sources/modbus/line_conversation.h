// RTU and ASCII on a serial line, and RTU over TCP: one request at a time, framed by silence and
// length.
//
// Before a request the line is silent for t3.5 and what arrived meanwhile is discarded; the answer
// is complete when its length and check say so, never by waiting. An answer that comes after its
// request was given up could pass for the next request's when both have the same form: until it is
// settled such an answer is taken only if nothing better follows (Modbus over Serial Line
// V1.02, 2.4; docs/modbus.md, late answers).
#pragma once

#include <optional>

#include "codec/modbus/scan.h"
#include "link/serial_settings.h"
#include "sources/modbus/conversation.h"
#include "sources/modbus/frame_tap.h"

namespace lightship::poller {

struct LineTiming {
  std::chrono::nanoseconds character{};  // 0: unknown, as over TCP
  std::chrono::nanoseconds silence{};    // t3.5
};

LineTiming line_timing(const link::SerialSettings& settings);

class LineConversation final : public Conversation {
 public:
  enum class Framing { rtu, ascii };

  LineConversation(std::unique_ptr<link::ByteLine> line, Clock& clock, Framing framing,
                   LineTiming timing, modbus::Echo echo,
                   std::shared_ptr<FrameLine> frames = nullptr);

  // For a serial line that has just been opened: listens until nothing comes any more, because a
  // device may still be answering whoever asked before. Never for long: a line on which somebody
  // speaks without end is asked all the same.
  Task<void> hear_out();

  Task<Result<ByteVector>> ask(Ask ask, Tally& tally) override;
  Task<void> serve() override;
  bool alive() const override { return line_->is_open(); }
  void close() override { line_->close(); }

 private:
  // An answer that is still owed: to a request of this form at another address.
  struct Owed {
    std::uint8_t unit;
    modbus::Function function;
    std::uint16_t address, count;
    MonoTime until;
  };

  template <class Scanner>
  Task<Result<ByteVector>> listen(Scanner& scanner, const Ask& ask, bool doubtful, Tally& tally);
  Task<Result<ByteVector>> listen_again(const Ask& ask, Bytes sent, Tally& tally);
  bool is_doubtful(const Ask& ask) const;
  void note_owed(const Ask& ask);

  std::unique_ptr<link::ByteLine> line_;
  Clock& clock_;
  Framing framing_;
  LineTiming timing_;
  modbus::Echo echo_;
  FrameTap tap_;
  MonoTime sent_until_{};  // when the last bit of our newest request left
  std::optional<Owed> owed_;
};

}  // namespace lightship::poller
