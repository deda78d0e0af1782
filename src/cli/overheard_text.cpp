// Decodes what was overheard as far as it can be.
#include "cli/overheard_text.h"

#include "base/hex.h"
#include "base/text.h"
#include "codec/modbus/overload.h"
#include "codec/modbus/reply.h"
#include "sources/modbus/line_report.h"

namespace lightship::cli {
namespace {

using modbus::Overheard;

std::string function_words(std::uint8_t code) {
  const auto plain = static_cast<std::uint8_t>(code & ~modbus::kExceptionBit);
  if (!modbus::is_known(plain)) return fmt::format("function {} (of a vendor)", plain);
  return std::string(modbus::name(static_cast<modbus::Function>(plain)));
}

std::string words(const modbus::Registers& registers) {
  std::string text;
  for (const auto word : registers) text += fmt::format("{}{:04x}", text.empty() ? "" : " ", word);
  return text;
}

std::string digits(const modbus::Bits& bits) {
  std::string text;
  for (std::size_t i = 0; i < bits.count; ++i) text += bits[i] ? '1' : '0';
  return text;
}

std::string printable(Bytes bytes) {
  std::string text;
  for (const auto byte : bytes) text += byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '.';
  return text;
}

// The registers of a register read's answer whose request was not heard.
std::optional<modbus::Registers> lone_registers(const Overheard& heard) {
  const auto code = heard.pdu[0];
  if ((code != 3 && code != 4 && code != 23) || heard.pdu.size() < 2 ||
      heard.pdu[1] + 2u != heard.pdu.size() || heard.pdu[1] % 2 != 0)
    return std::nullopt;
  modbus::Registers registers;
  for (std::size_t i = 2; i + 1 < heard.pdu.size(); i += 2)
    registers.push_back(load_u16(&heard.pdu[i]));
  return registers;
}

std::optional<modbus::Reply> reply_of(const Overheard& heard) {
  if (heard.kind != Overheard::Kind::answer || !heard.request) return std::nullopt;
  auto reply = modbus::decode_reply(*heard.request, heard.pdu);
  if (!reply) return std::nullopt;
  return std::move(*reply);
}

std::string body_words(const modbus::Reply& reply) {
  return std::visit(
      modbus::Overload{
          [](const modbus::Registers& r) { return words(r); },
          [](const modbus::Bits& b) { return digits(b); },
          [](const modbus::Written&) { return std::string("done"); },
          [](const modbus::ExceptionStatus& s) { return fmt::format("status {:02x}", s.bits); },
          [](const modbus::Diagnose& d) {
            return fmt::format("{:04x} {:04x}", d.sub_function, d.data);
          },
          [](const modbus::EventCounter& c) { return fmt::format("{} events", c.count); },
          [](const modbus::EventLog& l) {
            return fmt::format("{} events, {} messages", l.event_count, l.message_count);
          },
          [](const modbus::ServerId& id) {
            return fmt::format("{} \"{}\"", to_hex(id.data), printable(id.data));
          },
          [](const modbus::FileRecords& f) { return counted(f.records.size(), "record"); },
          [](const modbus::WriteFile&) { return std::string("done"); },
          [](const modbus::MaskWrite&) { return std::string("done"); },
          [](const modbus::Fifo& f) { return words(f.values); },
          [](const modbus::Identification& id) {
            std::vector<std::string> texts;
            for (const auto& object : id.objects) texts.push_back(object.text);
            return join(texts, ", ");
          },
      },
      reply.body);
}

std::string value_words(const modbus::Request& request) {
  return std::visit(modbus::Overload{
                        [](const modbus::WriteRegisters& r) { return ": " + words(r.values); },
                        [](const modbus::WriteCoils& r) { return ": " + digits(r.values); },
                        [](const modbus::ReadWrite& r) { return ": " + words(r.values); },
                        [](const auto&) { return std::string(); },
                    },
                    request);
}

std::string answer_words(const Overheard& heard) {
  if (heard.is_exception()) return modbus::exception_text(heard.pdu[1]);
  if (const auto reply = reply_of(heard)) return body_words(*reply);
  if (const auto registers = lone_registers(heard)) return words(*registers);
  return fmt::format("{}: {}", function_words(heard.pdu[0]), to_hex(Bytes(heard.pdu).subspan(1)));
}

}  // namespace

std::string meaning(const Overheard& heard) {
  switch (heard.kind) {
    case Overheard::Kind::request: {
      std::string text;
      if (heard.request) {
        text = modbus::describe(*heard.request) + value_words(*heard.request);
      } else if (modbus::is_known(heard.pdu[0])) {
        text = fmt::format("impossible request, {}: {}", function_words(heard.pdu[0]),
                           to_hex(Bytes(heard.pdu).subspan(1)));
      } else {
        text = fmt::format("{}: {}", function_words(heard.pdu[0]),
                           to_hex(Bytes(heard.pdu).subspan(1)));
      }
      return heard.repeated ? text + " (again)" : text;
    }
    case Overheard::Kind::answer: {
      auto text = answer_words(heard);
      if (heard.fit == Overheard::Fit::wrong) text += " (not what was asked)";
      if (heard.fit == Overheard::Fit::unasked) text += " (nobody was heard asking)";
      return text;
    }
    case Overheard::Kind::damaged:
      return "damaged, its check is wrong";
    case Overheard::Kind::noise:
      return "noise";
  }
  return {};
}

void write_meaning(JsonWriter& json, const Overheard& heard) {
  const auto code = static_cast<std::uint8_t>(heard.pdu[0] & ~modbus::kExceptionBit);
  json.member("function", code).member("name", function_words(code));
  const auto range = heard.request ? poller::range_of(heard.unit, *heard.request) : std::nullopt;
  if (range) json.member("address", range->address).member("count", range->count);
  if (heard.kind == Overheard::Kind::answer) {
    json.member("fit", to_string(heard.fit));
    if (heard.is_exception()) json.member("exception", heard.pdu[1]);
    const auto reply = reply_of(heard);
    const auto* asked = reply ? std::get_if<modbus::Registers>(&reply->body) : nullptr;
    const auto lone = reply || heard.is_exception() ? std::nullopt : lone_registers(heard);
    if (asked != nullptr || lone) {
      json.key("registers").begin_array();
      for (const auto word : asked != nullptr ? *asked : *lone)
        json.value(fmt::format("{:04x}", word));
      json.end_array();
    }
    if (const auto* bits = reply ? std::get_if<modbus::Bits>(&reply->body) : nullptr) {
      json.key("bits").begin_array();
      for (std::size_t i = 0; i < bits->count; ++i) json.value((*bits)[i] ? 1 : 0);
      json.end_array();
    }
  } else {
    json.member("repeated", heard.repeated);
  }
  json.member("text", meaning(heard));
}

std::string shown_bytes(const Overheard& heard, bool ascii) {
  return ascii && heard.kind != Overheard::Kind::noise ? printable(heard.bytes)
                                                       : to_hex(heard.bytes);
}

}  // namespace lightship::cli
