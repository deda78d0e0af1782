// Any bytes overheard on a line, in any pieces and at any times: no byte is lost, times never run
// backwards, every frame has a good check, and where no pause parts the bytes the frames do not
// depend on the pieces. Input: seed of the pieces, 1 for ASCII, stream.
#include <vector>

#include "codec/modbus/ascii.h"
#include "codec/modbus/crc.h"
#include "codec/modbus/function.h"
#include "codec/modbus/listener.h"
#include "modbus_input.h"

namespace {

using namespace lightship;
using namespace lightship::modbus;
using fuzz::require;

struct Result {
  std::vector<ByteVector> frames;  // of known functions
  ByteVector all;
};

void drain(Listener& listener, bool ascii, Result& result, std::chrono::nanoseconds& end) {
  while (const auto heard = listener.next()) {
    require(!heard->bytes.empty());
    require(heard->begin >= end && heard->end >= heard->begin && heard->gap.count() >= 0);
    end = heard->end;
    result.all.insert(result.all.end(), heard->bytes.begin(), heard->bytes.end());
    if (!heard->is_frame()) continue;
    require(!heard->pdu.empty());
    if (ascii) {
      const std::string text(heard->bytes.begin(), heard->bytes.end());
      require(ascii::unframe(text).has_value());
    } else {
      require(crc16(heard->bytes) == 0);
    }
    if (is_known(heard->pdu[0] & ~kExceptionBit)) result.frames.push_back(heard->bytes);
  }
}

Result heard_of(Bytes stream, bool ascii, std::uint8_t seed, std::chrono::nanoseconds apart) {
  const Listener::Timing timing{.character = apart / 8};
  std::unique_ptr<Listener> listener;
  if (ascii)
    listener = std::make_unique<ascii::Listener>(timing);
  else
    listener = std::make_unique<rtu::Listener>(timing);
  Result result;
  std::chrono::nanoseconds now{}, end{std::chrono::nanoseconds::min()};
  fuzz::in_pieces(stream, seed, [&](Bytes piece) {
    now += apart * (piece[0] % 16);
    listener->feed(piece, now);
    drain(*listener, ascii, result, end);
  });
  listener->flush();
  require(listener->undecided() == 0);
  drain(*listener, ascii, result, end);
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto seed = input.u8();
  const bool ascii = (input.u8() & 1) != 0;
  const auto stream = input.rest();
  const auto one = heard_of(stream, ascii, seed, {});
  const auto other = heard_of(stream, ascii, static_cast<std::uint8_t>(seed + 1), {});
  require(std::ranges::equal(one.all, stream));
  require(std::ranges::equal(other.all, stream));
  require(one.frames == other.frames);
  const auto timed = heard_of(stream, ascii, seed, std::chrono::milliseconds(4));
  require(std::ranges::equal(timed.all, stream));
  return 0;
}
