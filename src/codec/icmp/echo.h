// ICMP echo: requests to bytes, bytes to replies and errors about our requests. IPv4 and IPv6.
//
// Pure. RFC 792 (ICMP), RFC 4443 (ICMPv6), RFC 1071 (checksum). A reply is ours when identifier,
// sequence and the token in the payload are; the kernel chooses the identifier of a datagram socket
// and shows us only our own, so there only the rest is compared. Errors carry the start of the
// packet they are about, from which the same is read as far as it reaches: routers quote at least
// the IP header and eight bytes.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace lightship::icmp {

enum class Version : std::uint8_t { v4, v6 };

struct Echo {
  std::uint16_t identifier = 0;
  std::uint16_t sequence = 0;
  std::uint64_t token = 0;  // in front of the payload; tells our echoes from a namesake's
  friend bool operator==(const Echo&, const Echo&) = default;
};

// Header and token are 16 bytes; the rest of `size` (56 bytes of payload by habit, 8 at least) is
// filled with a count. The checksum of ICMPv6 covers addresses that only the kernel knows: it puts
// it in (RFC 3542, 3.1), here it is 0.
ByteVector encode_request(Version version, const Echo& echo, std::size_t payload = 56);

enum class Kind : std::uint8_t {
  reply,
  unreachable,    // no route, no such host, no such port, or forbidden: `reason` says which
  time_exceeded,  // a loop of routes, or a hop limit that is too small
  too_big,        // a packet that does not fit through
  redirect,       // news about the way; the echo goes on
  other           // of us, and of a kind that says nothing about the way (source quench)
};

struct Heard {
  Kind kind = Kind::reply;
  std::uint8_t type = 0, code = 0;  // as on the wire
  Echo echo;                        // of an error: of the request it is about
  bool has_token = true;            // an error may quote less
};

// What an ICMP message says of an echo request; nothing where it is about something else.
// malformed: too short, or the checksum of ICMPv4 is wrong.
Result<std::optional<Heard>> decode(Version version, Bytes message);

// The message within an IPv4 packet, as a raw socket gives it. malformed: no such packet.
struct Packet {
  Bytes message;
  int ttl = 0;
};
Result<Packet> unwrap_v4(Bytes packet);

// "host unreachable", "time to live exceeded on the way": in words.
std::string_view reason(Version version, std::uint8_t type, std::uint8_t code);

// The kind of an error, from its type and code alone: the kernel gives these of a datagram socket.
Kind kind_of(Version version, std::uint8_t type, std::uint8_t code);

std::uint16_t checksum(Bytes bytes);  // RFC 1071: over all of a message it is 0 where it is right

}  // namespace lightship::icmp
