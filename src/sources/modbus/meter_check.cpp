// Checks a meter and runs its own tests.
#include "sources/modbus/meter_check.h"

#include <algorithm>

#include "base/hex.h"
#include "base/text.h"
#include "codec/modbus/crc.h"
#include "codec/modbus/pdu.h"
#include "codec/modbus/rtu.h"
#include "core/register_image.h"

namespace lightship::poller {
namespace {

const RegisterConfig* find(const MeterConfig& meter, std::string_view name) {
  const auto found = std::ranges::find(meter.registers, name, &Registers::value_type::first);
  return found == meter.registers.end() ? nullptr : &found->second;
}

std::vector<std::string> names_of(const MeterConfig& meter) {
  std::vector<std::string> names;
  for (const auto& [name, c] : meter.registers) names.push_back(name);
  return names;
}

void suggest(config::Mistake& mistake, const std::string& found,
             const std::vector<std::string>& known) {
  mistake.found = found;
  mistake.expected = "one of " + join(known, ", ");
  mistake.suggestion = nearest(found, known).value_or("");
}

void wrong(config::Mistake& mistake, std::string found, std::string expected,
           std::string suggestion) {
  mistake.found = std::move(found);
  mistake.expected = std::move(expected);
  mistake.suggestion = std::move(suggestion);
}

constexpr const char* kFrame = "01 03 00 00 00 02 C4 0B";

// One test with its frames taken apart.
struct Exchange {
  modbus::Read read;
  modbus::Reply reply;

  bool holds(const RegisterConfig& c) const {
    return modbus::code(read.function) == c.function && c.address >= read.address &&
           c.address + wire_count(c) <= read.address + read.count;
  }
  std::span<const std::uint16_t> registers(const RegisterConfig& c) const {
    return std::span(reply.registers()).subspan(c.address - read.address, wire_count(c));
  }
};

struct OwnFrame {
  ByteVector bytes;
  modbus::rtu::Frame taken;  // looks into `bytes`
};

std::optional<OwnFrame> frame(const std::string& text, const char* which,
                              const config::Position& at, config::Mistakes& mistakes,
                              const std::string& of) {
  auto bytes = from_hex(text);
  if (!bytes || bytes->size() < 4) {
    wrong(mistakes.error(at, fmt::format("{}: the {} is not a frame in hex such as \"{}\"", of,
                                         which, kFrame)),
          "'" + text.substr(0, 100) + "'", "a frame in hex: unit, function, data and crc", kFrame);
    return std::nullopt;
  }
  const auto taken = modbus::rtu::unframe(*bytes);
  if (!taken) {
    const auto body = Bytes(*bytes).first(bytes->size() - 2);
    const auto crc = modbus::crc16(body);
    auto& mistake =
        mistakes.error(at, fmt::format("{}: the {} is damaged: {}; its last two bytes should be "
                                       "{:02X} {:02X}",
                                       of, which, taken.error().text, crc & 0xFF, crc >> 8));
    wrong(mistake, to_hex(Bytes(*bytes).last(2)),
          fmt::format("{:02X} {:02X}", crc & 0xFF, crc >> 8),
          fmt::format("{} {:02X} {:02X}", to_hex(body), crc & 0xFF, crc >> 8));
    return std::nullopt;
  }
  return OwnFrame{std::move(*bytes), *taken};  // moving a vector leaves its bytes where they are
}

std::optional<Exchange> take_apart(const MeterConfig& meter, const MeterConfig::Test& test,
                                   config::Mistakes& mistakes) {
  const auto of = "test of meter '" + meter.id + "'";
  const auto asked = frame(test.request, "request", test.request_at, mistakes, of);
  const auto answered = frame(test.answer, "answer", test.answer_at, mistakes, of);
  if (!asked || !answered) return std::nullopt;
  const auto request = modbus::decode_request(asked->taken.pdu);
  const auto* read = request ? std::get_if<modbus::Read>(&*request) : nullptr;
  if (read == nullptr) {
    wrong(mistakes.error(test.request_at,
                         fmt::format("{}: the request is no read of registers or bits", of)),
          request ? modbus::describe(*request) : to_hex(asked->taken.pdu),
          "a request with function 1, 2, 3 or 4", kFrame);
    return std::nullopt;
  }
  if (asked->taken.unit != answered->taken.unit) {
    wrong(mistakes.error(test.answer_at, fmt::format("{}: unit {} was asked and unit {} answers",
                                                     of, asked->taken.unit, answered->taken.unit)),
          fmt::format("unit {}", answered->taken.unit), fmt::format("unit {}", asked->taken.unit),
          to_hex(modbus::rtu::frame(asked->taken.unit, answered->taken.pdu)));
    return std::nullopt;
  }
  auto reply = modbus::decode_reply(*request, answered->taken.pdu);
  if (!reply) {
    wrong(
        mistakes.error(test.answer_at, fmt::format("{}: this is no answer to \"{}\": {}", of,
                                                   modbus::describe(*request), reply.error().text)),
        to_hex(answered->taken.pdu), "the device's answer to: " + modbus::describe(*request),
        fmt::format(
            "{:02X} {:02X} {:02X}, {} of data and the crc", asked->taken.unit,
            modbus::code(read->function),
            modbus::code(read->function) > 2 ? 2 * read->count : modbus::packed_size(read->count),
            counted(modbus::code(read->function) > 2 ? std::size_t{2} * read->count
                                                     : modbus::packed_size(read->count),
                    "byte")));
    return std::nullopt;
  }
  return Exchange{*read, std::move(*reply)};
}

// As it is shown: "230.1", "not_available".
Result<std::string> shown(const MeterConfig& meter, const RegisterConfig& c,
                          const Exchange& exchange) {
  if (!exchange.holds(c)) return fail(Errc::invalid, "is not in the frames of this test");
  if (c.function <= 2) {
    const bool on = exchange.reply.bits()[c.address - exchange.read.address];
    return std::string(on ? "true" : "false");
  }
  std::optional<std::int16_t> power;
  if (!c.scale_register.empty()) {
    const auto* scale = find(meter, c.scale_register);
    if (scale == nullptr || !exchange.holds(*scale))
      return fail(Errc::invalid, "needs {}, which is not in the frames of this test",
                  c.scale_register);
    power = static_cast<std::int16_t>(exchange.registers(*scale)[0]);
  }
  const auto decoded = modbus::decode(point_spec(c), exchange.registers(c), power);
  if (decoded.why != modbus::Why::none) return std::string(modbus::to_string(decoded.why));
  return to_text(decoded.value);
}

// 230.10 is the same as 230.1.
bool same(const std::string& a, const std::string& b) {
  if (a == b) return true;
  char *end_a = nullptr, *end_b = nullptr;
  const double x = std::strtod(a.c_str(), &end_a), y = std::strtod(b.c_str(), &end_b);
  const bool decimals = a.find('.') != a.npos || b.find('.') != b.npos;
  return decimals && !a.empty() && !b.empty() && *end_a == '\0' && *end_b == '\0' && x == y;
}

}  // namespace

void check_meter(const MeterConfig& meter, config::Mistakes& mistakes) {
  const auto names = names_of(meter);
  const auto most = meter.limits.max_registers.value_or(125);
  for (const auto& [name, c] : meter.registers) {
    if (name == "online")
      mistakes.error(c.at, "'online' is the name of every device's own state; choose another");
    if (!c.scale_register.empty() && find(meter, c.scale_register) == nullptr) {
      suggest(mistakes.error(c.at, fmt::format("scale_register '{}' is no point of meter '{}'",
                                               c.scale_register, meter.id)),
              c.scale_register, names);
    }
    if (c.function > 2 && wire_count(c) > most) {
      mistakes.error(c.at, fmt::format("{} takes {}, more than the {} that limits.max_registers "
                                       "allows in one request",
                                       name, counted(wire_count(c), "register"), most));
    }
  }
  for (const auto& [profile, points] : meter.profiles) {
    for (const auto& point : points) {
      if (find(meter, point) != nullptr) continue;
      suggest(mistakes.warning(meter.profiles_at,
                               fmt::format("profile '{}' of meter '{}' names the point '{}', which "
                                           "the meter does not have: it is left out",
                                           profile, meter.id, point)),
              point, names);
    }
  }
  for (const auto& profile : meter.supported_profiles) {
    if (profile == "basic_power" || profile == "full_power" || meter.profiles.contains(profile))
      continue;
    mistakes.warning(meter.at,
                     fmt::format("profile '{}' of meter '{}' is not defined, so it reads every "
                                 "point; list its points under profiles.{}",
                                 profile, meter.id, profile));
  }
  for (const auto& print : meter.identified_by) {
    if (print.id.empty() || print.id == meter.id ||
        std::ranges::find(meter.also, print.id) != meter.also.end())
      continue;
    auto family = meter.also;
    family.insert(family.begin(), meter.id);
    suggest(mistakes.error(meter.at, fmt::format("a fingerprint of meter '{}' is for '{}', which "
                                                 "is no id of this family",
                                                 meter.id, print.id)),
            print.id, family);
  }
}

void run_meter_tests(const MeterConfig& meter, config::Mistakes& mistakes) {
  const auto names = names_of(meter);
  for (const auto& test : meter.tests) {
    const auto exchange = take_apart(meter, test, mistakes);
    if (!exchange) continue;
    for (std::size_t i = 0; i < test.values.size(); ++i) {
      const auto& [name, expected] = test.values[i];
      const auto& at = i < test.values_at.size() ? test.values_at[i] : test.at;
      const auto* c = find(meter, name);
      if (c == nullptr) {
        suggest(mistakes.error(
                    at, fmt::format("test of meter '{}': it has no point '{}'", meter.id, name)),
                name, names);
        continue;
      }
      const auto came = shown(meter, *c, *exchange);
      if (!came) {
        std::vector<std::string> within;
        for (const auto& [other, about] : meter.registers) {
          if (exchange->holds(about)) within.push_back(other);
        }
        wrong(mistakes.error(
                  at, fmt::format("test of meter '{}': {} {}", meter.id, name, came.error().text)),
              name,
              within.empty() ? "a request that reads a point of the meter"
                             : "one of " + join(within, ", "),
              within.empty() ? modbus::describe(modbus::Read{
                                   static_cast<modbus::Function>(c->function),
                                   static_cast<std::uint16_t>(c->address), wire_count(*c)})
                             : nearest(name, within).value_or(within.front()));
      } else if (!same(*came, expected)) {
        auto& mistake =
            mistakes.error(at, fmt::format("test of meter '{}': {} came out as {}, expected {}",
                                           meter.id, name, *came, expected));
        wrong(mistake, *came, expected, *came);
      }
    }
  }
}

}  // namespace lightship::poller
