// Reads the JSON.
#include "cli/demo/told.h"

#include <boost/json.hpp>

namespace lightship::cli {
namespace {

namespace json = boost::json;

const json::value* member(const json::value& value, std::string_view key) {
  return value.is_object() ? value.get_object().if_contains(key) : nullptr;
}
std::string text(const json::value& value, std::string_view key) {
  const auto* found = member(value, key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}
double number(const json::value& value, std::string_view key) {
  const auto* found = member(value, key);
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}
const json::array& list(const json::value& value, std::string_view key) {
  static const json::array nothing;
  const auto* found = member(value, key);
  return found != nullptr && found->is_array() ? found->get_array() : nothing;
}

void take_part(Told& told, const json::value& part) {
  const auto name = text(part, "name");
  if (const auto& devices = list(part, "devices"); !devices.empty()) {
    told.lines.push_back({name.substr(name.find('/') + 1), text(part, "line"),
                          number(part, "busy_percent"), text(part, "error")});
    for (const auto& device : devices) {
      const auto* online = member(device, "online");
      told.devices[text(device, "id")] = {
          online != nullptr && online->is_bool() && online->get_bool(), text(device, "condition"),
          number(device, "answer_ms")};
    }
  }
  if (name == "mqtt" || name.starts_with("mqtt/")) {
    if (const auto* waiting = member(part, "waiting"); waiting != nullptr && waiting->is_number())
      told.waiting = waiting->to_number<std::uint64_t>();
    told.broker_error = text(part, "error");
  }
}

}  // namespace

Result<Told> read_status(std::string_view body) {
  boost::system::error_code wrong;
  const auto status = json::parse({body.data(), body.size()}, wrong);
  if (wrong) return fail(Errc::malformed, "the status is no JSON: {}", wrong.message());
  Told told;
  for (const auto& part : list(status, "parts")) take_part(told, part);
  return told;
}

}  // namespace lightship::cli
