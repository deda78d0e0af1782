// Any characters on an ASCII line: what is found does not depend on the pieces, and what one reader
// takes the other takes too. Input: seed of the pieces, characters.
#include <string>
#include <vector>

#include "codec/modbus/ascii.h"
#include "codec/modbus/pdu.h"
#include "modbus_input.h"

namespace {

using namespace lightship;
using namespace lightship::modbus;
using fuzz::require;

void listen(ascii::Scanner& scanner, Bytes piece, std::vector<ascii::Frame>& frames) {
  scanner.feed(piece, [&](std::uint8_t unit, Bytes pdu) {
    frames.push_back({unit, {pdu.begin(), pdu.end()}});
    return true;
  });
}

void check_frames(Bytes stream, std::uint8_t seed) {
  ascii::Scanner whole, pieces;
  std::vector<ascii::Frame> expected, seen;
  listen(whole, stream, expected);
  fuzz::in_pieces(stream, seed, [&](Bytes piece) { listen(pieces, piece, seen); });
  require(seen == expected);
  require(whole.bad_lrc() == pieces.bad_lrc() && whole.malformed() == pieces.malformed());
  require(whole.noise() == pieces.noise() && whole.inside() == pieces.inside());

  for (const auto& frame : expected)
    require(ascii::unframe(ascii::frame(frame.unit, frame.pdu)) == frame);
  const std::string text(stream.begin(), stream.end());
  if (const auto frame = ascii::unframe(text))
    require(expected.size() == 1 && expected[0] == *frame);
}

void check_reply(Bytes stream, std::uint8_t seed) {
  const Request request = Read{Function::read_holding_registers, 0x6B, 3};
  const auto sent = encode(request);
  ascii::ReplyScanner whole(1, request, sent), pieces(1, request, sent);
  whole.feed(stream);
  fuzz::in_pieces(stream, seed, [&](Bytes piece) { pieces.feed(piece); });
  require(whole.next().kind == pieces.next().kind);
  require(std::ranges::equal(whole.next().pdu, pieces.next().pdu));
  require(whole.rejects() == pieces.rejects());
  if (whole.next().kind == Scan::Kind::reply)
    require(judge(request, whole.next().pdu) == Verdict::good);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto seed = input.u8();
  check_frames(input.rest(), seed);
  check_reply(input.rest(), seed);
  return 0;
}
