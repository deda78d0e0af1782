// Any bytes as a request, and any others as its answer: what decodes encodes to the same bytes,
// judge and decode agree, and the server answers everything. Input: length of the request, request
// PDU, reply PDU.
#include "codec/modbus/pdu.h"
#include "codec/modbus/server.h"
#include "modbus_input.h"

namespace {

using namespace lightship;
using namespace lightship::modbus;
using fuzz::require;

void check_server(Bytes pdu) {
  MemoryMap map(64);
  map.id = {'x', 0xFF};
  map.objects = {{0, "vendor"}, {1, "code"}, {200, std::string(240, 'e')}, {201, "last"}};
  const auto answered = answer(map, 1, pdu);
  require(answered.size() <= kMaxPdu);
  require(answer(map, kBroadcast, pdu).empty());
  if (answered.empty()) return;
  require((answered[0] | kExceptionBit) == (pdu[0] | kExceptionBit));
  if (const auto request = decode_request(pdu)) require(judge(*request, answered) == Verdict::good);
}

void check_reply(const Request& request, Bytes pdu) {
  const auto verdict = judge(request, pdu);
  const auto reply = decode_reply(request, pdu);
  const bool refused = !reply && reply.error().code == Errc::refused;
  require((reply || refused) == (verdict == Verdict::good));
  if (!reply) return;
  const auto back = encode(*reply);
  require(back.size() == pdu.size());
  // The "more" of an identification is any byte but 0; everything else comes back as it was.
  const bool same = std::ranges::equal(back, pdu);
  require(same || function_of(request) == Function::read_device_identification);
  require(decode_reply(request, back) == *reply);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const Bytes pdu = input.take(input.u8());
  if (!pdu.empty()) check_server(pdu);
  const auto request = decode_request(pdu);
  if (!request) {
    require(pdu.empty() ? request.error().code == Errc::malformed
                        : request.error().code == Errc::refused);
    require(pdu.empty() || (request.error().detail >= 1 && request.error().detail <= 3));
    return 0;
  }
  require(check(*request).has_value());
  require(std::ranges::equal(encode(*request), pdu));
  require(!describe(*request).empty());
  check_reply(*request, input.rest());
  return 0;
}
