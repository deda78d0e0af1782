// Frames as a pcapng capture that Wireshark opens and dissects without being told how.
//
// Link type 252 (exported PDU) says by name who dissects a packet, so a serial line needs no
// made-up network around its frames: made-up addresses and ports only tell request from answer.
// draft-ietf-opsawg-pcapng; Wireshark's wsutil/exported_pdu.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/frame_ring.h"

namespace lightship::portal::pcapng {

// The beginning of a file: who wrote it, and the interfaces by their names, numbered from 0.
std::string header(std::string_view program, const std::vector<std::string>& interfaces);

struct Packet {
  std::uint32_t line = 0;  // which interface
  Time time{};
  FrameWay way = FrameWay::sent;
  std::string_view dissector;  // "mbrtu"
  Bytes bytes;
  bool bad_check = false;
  std::string_view comment;  // empty: none
};
void append(std::string& out, const Packet& packet);

}  // namespace lightship::portal::pcapng
