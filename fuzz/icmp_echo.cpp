// Any bytes as an ICMP message and as a raw socket's packet: what decodes is bounded, and a request
// that is made of it comes back the same. Input: version (odd: IPv6), bytes.
#include "codec/icmp/echo.h"
#include "modbus_input.h"

using namespace lightship;
using namespace lightship::icmp;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto version = input.u8() % 2 == 0 ? Version::v4 : Version::v6;
  const auto bytes = input.rest();
  if (const auto packet = unwrap_v4(bytes)) {
    require(packet->message.size() + 20 <= bytes.size());
    (void)decode(Version::v4, packet->message);
  }
  const auto heard = decode(version, bytes);
  if (!heard || !*heard) return 0;
  const auto& one = **heard;
  require(kind_of(version, one.type, one.code) == one.kind);
  require(!reason(version, one.type, one.code).empty());
  auto again = encode_request(version, one.echo);
  again[0] = version == Version::v4 ? 0 : 129;
  if (version == Version::v4) {
    again[2] = again[3] = 0;
    const auto sum = checksum(again);
    again[2] = static_cast<std::uint8_t>(sum >> 8);
    again[3] = static_cast<std::uint8_t>(sum);
  }
  const auto back = decode(version, again);
  require(back && *back && (*back)->kind == Kind::reply && (*back)->echo == one.echo);
  return 0;
}
