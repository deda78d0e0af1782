// Types and codes as IANA lists them ("ICMP Parameters", "ICMPv6 Parameters").
#include "codec/icmp/echo.h"

namespace lightship::icmp {
namespace {

constexpr std::size_t kHeader = 8, kToken = 8;
constexpr std::uint8_t kProtocolIcmp = 1, kProtocolIcmp6 = 58;
constexpr std::uint8_t kReply4 = 0, kUnreachable4 = 3, kQuench4 = 4, kRedirect4 = 5, kRequest4 = 8,
                       kTimeExceeded4 = 11, kParameter4 = 12;
constexpr std::uint8_t kUnreachable6 = 1, kTooBig6 = 2, kTimeExceeded6 = 3, kRequest6 = 128,
                       kReply6 = 129;
constexpr std::uint8_t kFragmentationNeeded = 4;  // a code of kUnreachable4

struct Header {
  std::uint8_t type = 0, code = 0;
  Echo echo;
  bool has_token = false;
};

// The header of an echo, and its token as far as it is there.
std::optional<Header> header(Bytes message) {
  if (message.size() < kHeader) return std::nullopt;
  Reader read(message);
  Header found;
  found.type = read.u8();
  found.code = read.u8();
  read.u16();  // checksum
  found.echo.identifier = read.u16();
  found.echo.sequence = read.u16();
  if (read.left() >= kToken) {
    const std::uint64_t high = read.u32();
    found.echo.token = high << 32 | read.u32();
    found.has_token = true;
  }
  return found;
}

bool is_error(Version version, std::uint8_t type) {
  if (version == Version::v6) return type < kRequest6;  // RFC 4443, 2.1
  return type == kUnreachable4 || type == kQuench4 || type == kRedirect4 ||
         type == kTimeExceeded4 || type == kParameter4;
}

// The ICMP message within the packet that an error quotes; empty: it is of another protocol, is no
// packet, or is a later fragment.
Bytes quoted(Version version, Bytes packet) {
  if (packet.empty()) return {};
  if (version == Version::v4) {
    const std::size_t length = (packet[0] & 0x0F) * 4U;
    if (packet[0] >> 4 != 4 || length < 20 || packet.size() < length) return {};
    const bool fragment = (load_u16(&packet[6]) & 0x1FFF) != 0;
    if (fragment || packet[9] != kProtocolIcmp) return {};
    return packet.subspan(length);
  }
  constexpr std::size_t kFixed = 40;
  if (packet[0] >> 4 != 6 || packet.size() < kFixed) return {};
  // We send no extension headers.
  if (packet[6] != kProtocolIcmp6) return {};
  return packet.subspan(kFixed);
}

}  // namespace

std::uint16_t checksum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += load_u16(&bytes[i]);
  if (bytes.size() % 2 != 0) sum += static_cast<std::uint32_t>(bytes.back()) << 8;
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

ByteVector encode_request(Version version, const Echo& echo, std::size_t payload) {
  ByteVector out;
  out.reserve(kHeader + payload);
  put_u8(out, version == Version::v4 ? kRequest4 : kRequest6);
  put_u8(out, 0);
  put_u16(out, 0);
  put_u16(out, echo.identifier);
  put_u16(out, echo.sequence);
  put_u32(out, static_cast<std::uint32_t>(echo.token >> 32));
  put_u32(out, static_cast<std::uint32_t>(echo.token));
  for (std::size_t i = kToken; i < payload; ++i) put_u8(out, static_cast<std::uint8_t>(i));
  if (version == Version::v4) {
    const auto sum = checksum(out);
    out[2] = static_cast<std::uint8_t>(sum >> 8);
    out[3] = static_cast<std::uint8_t>(sum);
  }
  return out;
}

Result<std::optional<Heard>> decode(Version version, Bytes message) {
  const auto outer = header(message);
  if (!outer) return fail(Errc::malformed, "{} bytes are no ICMP message", message.size());
  if (version == Version::v4 && checksum(message) != 0)
    return fail(Errc::malformed, "the checksum does not match");

  const auto request = version == Version::v4 ? kRequest4 : kRequest6;
  if (outer->type == (version == Version::v4 ? kReply4 : kReply6)) {
    if (!outer->has_token) return std::nullopt;  // none of ours is so short
    return Heard{Kind::reply, outer->type, outer->code, outer->echo, true};
  }
  if (!is_error(version, outer->type)) return std::nullopt;
  const auto inner = header(quoted(version, message.subspan(kHeader)));
  if (!inner || inner->type != request) return std::nullopt;
  return Heard{kind_of(version, outer->type, outer->code), outer->type, outer->code, inner->echo,
               inner->has_token};
}

Result<Packet> unwrap_v4(Bytes packet) {
  if (packet.size() < 20 || packet[0] >> 4 != 4)
    return fail(Errc::malformed, "{} bytes are no IPv4 packet", packet.size());
  const std::size_t length = (packet[0] & 0x0F) * 4U;
  if (length < 20 || length > packet.size())
    return fail(Errc::malformed, "a header of {} bytes in a packet of {}", length, packet.size());
  if (packet[9] != kProtocolIcmp)
    return fail(Errc::malformed, "protocol {} is not ICMP", packet[9]);
  return Packet{packet.subspan(length), packet[8]};
}

Kind kind_of(Version version, std::uint8_t type, std::uint8_t code) {
  if (version == Version::v4) {
    if (type == kReply4) return Kind::reply;
    if (type == kUnreachable4)
      return code == kFragmentationNeeded ? Kind::too_big : Kind::unreachable;
    if (type == kRedirect4) return Kind::redirect;
    return type == kTimeExceeded4 ? Kind::time_exceeded : Kind::other;
  }
  if (type == kReply6) return Kind::reply;
  if (type == kUnreachable6) return Kind::unreachable;
  if (type == kTooBig6) return Kind::too_big;
  return type == kTimeExceeded6 ? Kind::time_exceeded : Kind::other;
}

std::string_view reason(Version version, std::uint8_t type, std::uint8_t code) {
  switch (kind_of(version, type, code)) {
    case Kind::reply:
      return "a reply";
    case Kind::time_exceeded:
      return code == 1 ? "a fragment was lost on the way" : "time to live exceeded on the way";
    case Kind::too_big:
      return "the packet is too big for the way";
    case Kind::redirect:
      return "there is a shorter way";
    case Kind::other:
      return "a router refused the packet";
    case Kind::unreachable:
      break;
  }
  if (version == Version::v6) {
    switch (code) {
      case 0:
        return "no route to the host";
      case 1:
      case 5:
      case 6:
        return "forbidden by a router";
      case 4:
        return "port unreachable";
      default:
        return "host unreachable";
    }
  }
  switch (code) {
    case 0:
    case 6:
    case 11:
      return "network unreachable";
    case 2:
      return "protocol unreachable";
    case 3:
      return "port unreachable";
    case 5:
      return "the source route failed";
    case 9:
    case 10:
    case 13:
    case 14:
    case 15:
      return "forbidden by a router";
    default:
      return "host unreachable";
  }
}

}  // namespace lightship::icmp
