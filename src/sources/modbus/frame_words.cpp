// Unwraps, decodes, and says what was found wrong.
#include "sources/modbus/frame_words.h"

#include <string_view>

#include "base/text.h"
#include "codec/modbus/ascii.h"
#include "codec/modbus/crc.h"
#include "codec/modbus/mbap.h"
#include "codec/modbus/overload.h"
#include "codec/modbus/rtu.h"

namespace lightship::poller {
namespace {

constexpr std::size_t kMostValues = 4;  // of a write are told

// What is inside a frame, as far as it can be believed.
struct Inside {
  bool whole = false;  // begins as a frame does and has a check, or a true header
  bool good = false;   // and the check is right
  std::uint8_t unit = 0;
  ByteVector pdu;
};

Inside rtu(Bytes bytes) {
  if (bytes.size() < modbus::rtu::kMinFrame || bytes.size() > modbus::rtu::kMaxFrame) return {};
  const auto pdu = bytes.subspan(1, bytes.size() - 3);
  return {true, modbus::crc16(bytes) == 0, bytes[0], ByteVector(pdu.begin(), pdu.end())};
}

Inside ascii(Bytes bytes) {
  if (bytes.size() > modbus::ascii::kMaxFrame) return {};
  const auto frame =
      modbus::ascii::unframe({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (frame) return {true, true, frame->unit, frame->pdu};
  return {frame.error().code == Errc::crc, false, 0, {}};
}

Inside mbap(Bytes bytes) {
  const auto adu = modbus::mbap::next_adu(bytes);
  if (!adu || adu->size != bytes.size()) return {};
  return {true, true, adu->unit, ByteVector(adu->pdu.begin(), adu->pdu.end())};
}

std::string function_words(std::uint8_t code) {
  const auto plain = static_cast<std::uint8_t>(code & ~modbus::kExceptionBit);
  if (!modbus::is_known(plain)) return fmt::format("function {}", plain);
  return std::string(modbus::name(static_cast<modbus::Function>(plain)));
}

std::string values(const modbus::Registers& registers) {
  std::string text;
  for (std::size_t i = 0; i < std::min(registers.size(), kMostValues); ++i)
    text += fmt::format("{}{}", i == 0 ? ": " : ", ", registers[i]);
  return registers.size() > kMostValues ? text + ", ..." : text;
}

std::string request_words(const ByteVector& pdu) {
  const auto request = modbus::decode_request(pdu);
  if (!request) return function_words(pdu[0]) + ", an impossible request";
  auto text = modbus::describe(*request);
  if (const auto* write = std::get_if<modbus::WriteRegisters>(&*request))
    text += values(write->values);
  return text;
}

std::string reply_words(const modbus::Reply& reply) {
  return std::visit(
      modbus::Overload{
          [](const modbus::Registers& r) { return counted(r.size(), "register"); },
          [](const modbus::Bits& b) { return counted(b.count, "bit"); },
          [](const modbus::Written&) { return std::string("written"); },
          [](const modbus::MaskWrite&) { return std::string("written"); },
          [](const modbus::WriteFile&) { return std::string("written"); },
          [](const modbus::ExceptionStatus& s) { return fmt::format("status {:02x}", s.bits); },
          [](const modbus::FileRecords& f) { return counted(f.records.size(), "record"); },
          [](const modbus::Fifo& f) { return counted(f.values.size(), "register"); },
          [](const modbus::Identification& id) { return counted(id.objects.size(), "object"); },
          [&](const auto&) { return std::string(modbus::name(reply.function)); },
      },
      reply.body);
}

std::string answer_words(const ByteVector& pdu, const std::optional<modbus::Request>& request) {
  if (request) {
    if (const auto reply = modbus::decode_reply(*request, pdu))
      return "answer: " + reply_words(*reply);
  }
  return fmt::format("answer: {}, {}", function_words(pdu[0]), counted(pdu.size(), "byte"));
}

std::string fault_words(FrameFault fault, std::string_view check) {
  switch (fault) {
    case FrameFault::none:
    case FrameFault::echo:
      return {};
    case FrameFault::bad_check:
      return fmt::format("bad {}", check);
    case FrameFault::no_answer:
      return "no answer";
    case FrameFault::torn:
      return "only a part came";
    case FrameFault::late:
      return "late";
    case FrameFault::noise:
      return "noise";
    case FrameFault::other_unit:
      return "another unit";
    case FrameFault::not_asked:
      return "not what was asked";
    case FrameFault::wrong_length:
      return "wrong length";
    case FrameFault::lost_framing:
      return "not Modbus";
    case FrameFault::lost_line:
      return "the line was lost";
  }
  return {};
}

// `check`: what the framing calls it; empty where it has none.
FrameWords read(const RawFrame& frame, Bytes before, Inside (*open)(Bytes),
                std::string_view check) {
  FrameWords words;
  const auto inside = open(frame.bytes);
  const auto request_frame = open(before);
  std::optional<modbus::Request> request;
  if (request_frame.good && !request_frame.pdu.empty()) {
    if (auto decoded = modbus::decode_request(request_frame.pdu)) request = std::move(*decoded);
  }
  words.error = fault_words(frame.fault, check);
  words.is_frame = inside.whole;
  if (frame.bytes.empty()) {
    if (request_frame.good && !request_frame.pdu.empty()) {
      words.unit = request_frame.unit;
      words.function = request_frame.pdu[0];
    }
    words.summary =
        request ? fmt::format("nothing came to: {}", modbus::describe(*request)) : "nothing came";
    return words;
  }
  if (frame.fault == FrameFault::noise && !inside.good) words.is_frame = false;
  if (!words.is_frame || inside.pdu.empty()) {
    words.summary = counted(frame.bytes.size(), "byte");
    if (words.error.empty()) words.error = "no frame";
    return words;
  }
  words.unit = inside.unit;
  words.function = inside.pdu[0] & ~modbus::kExceptionBit;
  if (!inside.good) {
    words.error = fmt::format("bad {}", check);
    words.summary = fmt::format("perhaps {}, {}", function_words(inside.pdu[0]),
                                counted(frame.bytes.size(), "byte"));
    return words;
  }
  if (frame.way == FrameWay::sent || frame.fault == FrameFault::echo) {
    words.summary = request_words(inside.pdu);
    if (frame.fault == FrameFault::echo) words.summary += ", our own, heard back";
    return words;
  }
  if ((inside.pdu[0] & modbus::kExceptionBit) != 0 && inside.pdu.size() == 2) {
    words.summary = fmt::format("exception {}: {}", inside.pdu[1], modbus::meaning(inside.pdu[1]));
    if (words.error.empty()) words.error = fmt::format("exception {}", inside.pdu[1]);
    return words;
  }
  words.summary = answer_words(inside.pdu, request);
  return words;
}

}  // namespace

FrameWords read_rtu_frame(const RawFrame& frame, Bytes request) {
  return read(frame, request, rtu, "CRC");
}

FrameWords read_ascii_frame(const RawFrame& frame, Bytes request) {
  auto words = read(frame, request, ascii, "LRC");
  const auto inside = ascii(frame.bytes);
  if (inside.good && !inside.pdu.empty())
    words.dissected = modbus::rtu::frame(inside.unit, inside.pdu);
  return words;
}

FrameWords read_mbap_frame(const RawFrame& frame, Bytes request) {
  return read(frame, request, mbap, "header");
}

}  // namespace lightship::poller
