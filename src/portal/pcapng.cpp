// Blocks of 32 bit words, little endian; the tags of an exported PDU are big endian.
#include "portal/pcapng.h"

#include <algorithm>

namespace lightship::portal::pcapng {
namespace {

constexpr std::uint32_t kSection = 0x0A0D0D0A, kByteOrder = 0x1A2B3C4D;
constexpr std::uint32_t kInterface = 1, kEnhancedPacket = 6;
constexpr std::uint16_t kComment = 1, kName = 2, kFlags = 2, kApplication = 4, kResolution = 9;
constexpr std::uint16_t kUpperPdu = 252;
constexpr char kMicroseconds = 6;  // ten to the minus
constexpr std::uint32_t kInbound = 1, kOutbound = 2, kCrcError = 1u << 24;
constexpr std::size_t kLongestText = 1024;

constexpr std::uint16_t kDissectorTag = 12, kSourceTag = 20, kTargetTag = 21, kPortTypeTag = 24,
                        kSourcePortTag = 25, kTargetPortTag = 26, kEndTag = 0;
constexpr std::uint32_t kTcp = 2, kOurPort = 50'000, kDevicePort = 502;

void put16(std::string& out, std::uint16_t number) {
  out += static_cast<char>(number & 0xFF);
  out += static_cast<char>(number >> 8);
}
void put32(std::string& out, std::uint32_t number) {
  put16(out, static_cast<std::uint16_t>(number & 0xFFFF));
  put16(out, static_cast<std::uint16_t>(number >> 16));
}
void pad(std::string& out, std::size_t size) { out.append((4 - size % 4) % 4, '\0'); }

void option(std::string& out, std::uint16_t code, std::string_view value) {
  value = value.substr(0, kLongestText);
  put16(out, code);
  put16(out, static_cast<std::uint16_t>(value.size()));
  out += value;
  pad(out, value.size());
}

void block(std::string& out, std::uint32_t type, std::string_view body) {
  const auto size = static_cast<std::uint32_t>(body.size() + 12);
  put32(out, type);
  put32(out, size);
  out += body;
  put32(out, size);
}

void tag(std::string& out, std::uint16_t code, std::string_view value) {
  const auto padded = (value.size() + 3) / 4 * 4;
  for (const auto number : {static_cast<std::size_t>(code), padded}) {
    out += static_cast<char>(number >> 8 & 0xFF);
    out += static_cast<char>(number & 0xFF);
  }
  out += value;
  pad(out, value.size());
}
std::string big32(std::uint32_t number) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift & 0xFF);
  return text;
}

// Each line is a host of its own, so that Wireshark pairs requests and answers within the line.
std::string payload(const Packet& packet) {
  auto source = big32(0x7F00'0001), target = big32(0x7F01'0000 + packet.line + 1);
  auto from = kOurPort, to = kDevicePort;
  if (packet.way == FrameWay::received) {
    std::swap(source, target);
    std::swap(from, to);
  }
  std::string out;
  tag(out, kDissectorTag, packet.dissector);
  tag(out, kSourceTag, source);
  tag(out, kTargetTag, target);
  tag(out, kPortTypeTag, big32(kTcp));
  tag(out, kSourcePortTag, big32(from));
  tag(out, kTargetPortTag, big32(to));
  tag(out, kEndTag, {});
  out.append(packet.bytes.begin(), packet.bytes.end());
  return out;
}

}  // namespace

std::string header(std::string_view program, const std::vector<std::string>& interfaces) {
  std::string body;
  put32(body, kByteOrder);
  put16(body, 1);
  put16(body, 0);
  put32(body, 0xFFFF'FFFF);  // how long the section is: not said
  put32(body, 0xFFFF'FFFF);
  option(body, kApplication, program);
  put32(body, 0);
  std::string out;
  block(out, kSection, body);
  for (const auto& name : interfaces) {
    body.clear();
    put16(body, kUpperPdu);
    put16(body, 0);
    put32(body, 0);  // packets are never cut
    option(body, kName, name);
    option(body, kResolution, std::string_view(&kMicroseconds, 1));
    put32(body, 0);
    block(out, kInterface, body);
  }
  return out;
}

void append(std::string& out, const Packet& packet) {
  const auto data = payload(packet);
  const auto time = static_cast<std::uint64_t>(packet.time.time_since_epoch().count());
  std::string body;
  put32(body, packet.line);
  put32(body, static_cast<std::uint32_t>(time >> 32));
  put32(body, static_cast<std::uint32_t>(time & 0xFFFF'FFFF));
  put32(body, static_cast<std::uint32_t>(data.size()));
  put32(body, static_cast<std::uint32_t>(data.size()));
  body += data;
  pad(body, data.size());
  std::string flags;
  put32(flags,
        (packet.way == FrameWay::sent ? kOutbound : kInbound) | (packet.bad_check ? kCrcError : 0));
  option(body, kFlags, flags);
  if (!packet.comment.empty()) option(body, kComment, packet.comment);
  put32(body, 0);
  block(out, kEnhancedPacket, body);
}

}  // namespace lightship::portal::pcapng
