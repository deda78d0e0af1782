// Any bytes on a line: what the scanners find does not depend on the pieces, every frame they find
// has a good CRC, every answer decodes, and no byte is lost from the books. Input: seed of the
// pieces, 1 where the line echoes, length of the request, request PDU, stream.
#include <vector>

#include "codec/modbus/crc.h"
#include "codec/modbus/pdu.h"
#include "codec/modbus/reply_scanner.h"
#include "codec/modbus/request_scanner.h"
#include "codec/modbus/rtu.h"
#include "modbus_input.h"

namespace {

using namespace lightship;
using namespace lightship::modbus;
using fuzz::require;

void check_replies(const Request& request, Echo echo, Bytes stream, std::uint8_t seed) {
  const auto sent = rtu::frame(1, encode(request));
  rtu::ReplyScanner whole(1, request, sent, echo), pieces(1, request, sent, echo),
      bytewise(1, request, sent, echo);
  whole.feed(stream);
  fuzz::in_pieces(stream, seed, [&](Bytes piece) { pieces.feed(piece); });
  for (const auto& byte : stream) bytewise.feed(Bytes(&byte, 1));
  for (const auto* other : {&pieces, &bytewise}) {
    require(other->next().kind == whole.next().kind);
    require(std::ranges::equal(other->next().pdu, whole.next().pdu));
    require(other->rejects() == whole.rejects());
    require(other->undecided() == whole.undecided());
  }

  const auto found = whole.next();
  require(whole.undecided() <= rtu::kMaxFrame);
  if (found.kind == Scan::Kind::need_more) {
    require(whole.rejects().noise_bytes <= stream.size() && whole.rejects().trailing_bytes == 0);
    return;
  }
  require(found.pdu.size() + 3 + whole.rejects().trailing_bytes <= stream.size());
  const auto verdict = judge(request, found.pdu);
  require((found.kind == Scan::Kind::reply) == (verdict == Verdict::good));
  const auto reply = decode_reply(request, found.pdu);
  require((reply || reply.error().code == Errc::refused) == (found.kind == Scan::Kind::reply));
}

std::vector<ByteVector> requests_in(rtu::RequestScanner& scanner, Bytes piece) {
  std::vector<ByteVector> frames;
  scanner.feed(piece);
  while (const auto frame = scanner.next()) {
    require(rtu::unframe(rtu::frame(frame->unit, frame->pdu)).has_value());
    frames.push_back(rtu::frame(frame->unit, frame->pdu));
  }
  return frames;
}

void check_requests(Bytes stream, std::uint8_t seed) {
  rtu::RequestScanner whole, pieces;
  const auto expected = requests_in(whole, stream);
  std::vector<ByteVector> seen;
  fuzz::in_pieces(stream, seed, [&](Bytes piece) {
    for (auto& frame : requests_in(pieces, piece)) seen.push_back(std::move(frame));
  });
  require(seen == expected);
  require(whole.dropped_bytes() == pieces.dropped_bytes());
  whole.silence();
  std::size_t bytes = whole.dropped_bytes();
  for (const auto& frame : expected) bytes += frame.size();
  require(bytes == stream.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto seed = input.u8();
  const auto echo = (input.u8() & 1) != 0 ? Echo::always : Echo::unknown;
  const auto request = decode_request(input.take(input.u8()));
  check_replies(request ? *request : Request(Read{Function::read_holding_registers, 0, 2}), echo,
                input.rest(), seed);
  check_requests(input.rest(), seed);
  return 0;
}
