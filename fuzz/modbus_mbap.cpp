// Any bytes as a Modbus TCP stream: what is cut out frames to the same bytes, and fewer bytes are
// either incomplete or already as malformed as all of them.
#include "codec/modbus/mbap.h"
#include "modbus_input.h"

namespace {

using namespace lightship;
using namespace lightship::modbus;
using fuzz::require;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes stream(data, size);
  for (;;) {
    const auto adu = mbap::next_adu(stream);
    const std::size_t whole = adu ? adu->size : std::min(stream.size(), mbap::kMaxAdu);
    for (std::size_t count = 0; count < whole; ++count) {
      const auto early = mbap::next_adu(stream.first(count));
      require(!early);
      if (early.error().code == Errc::malformed)
        require(!adu && adu.error().code == Errc::malformed);
    }
    if (!adu) {
      require(adu.error().code == Errc::malformed || stream.size() < mbap::kMaxAdu);
      return 0;
    }
    require(!adu->pdu.empty() && adu->pdu.size() <= kMaxPdu && adu->size <= stream.size());
    require(std::ranges::equal(mbap::frame(adu->transaction, adu->unit, adu->pdu),
                               stream.first(adu->size)));
    if (const auto request = decode_request(adu->pdu)) {
      ByteVector again;
      mbap::append_frame(again, adu->transaction, adu->unit, *request);
      require(std::ranges::equal(again, stream.first(adu->size)));
    }
    stream = stream.subspan(adu->size);
  }
}
