// Writes alert messages.
#include "core/alert_message.h"

#include <algorithm>

#include "base/json_writer.h"

namespace lightship {

std::optional<Alert::Whose> whose_is(const Catalog& catalog, const Alert& alert) {
  if (!alert.device) return alert.former;
  const auto& info = catalog.info(*alert.device);
  return Alert::Whose{info.connection, info.client, info.type};
}

AlertOrigin origin_of(const Catalog& catalog, const Alert& alert) {
  const auto whose = whose_is(catalog, alert);
  if (!whose) return {"host", "gateway", "host", alert.point.empty() ? alert.rule : alert.point};
  AlertOrigin origin{whose->connection, whose->client, whose->type, alert.point};
  const auto device = whose->connection + "/" + whose->client + "/";
  if (origin.point.starts_with(device)) origin.point.erase(0, device.size());
  if (origin.point.empty()) origin.point = alert.rule;
  return origin;
}

std::vector<std::string> types_for(const Catalog& catalog, const Alert& alert,
                                   const std::vector<std::string>& types) {
  const auto type = origin_of(catalog, alert).type;
  if (std::ranges::find(types, type) != types.end()) return {type};
  return whose_is(catalog, alert) ? std::vector<std::string>{} : types;
}

std::string compose_alert(const std::string& site, const Catalog& catalog, const Alert& alert) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("device_id", std::string_view(site));
  if (const auto whose = whose_is(catalog, alert)) {
    json.member("connection_id", std::string_view(whose->connection));
    json.member("client_id", std::string_view(whose->client));
    json.member("type", std::string_view(whose->type));
  }
  json.member("rule", std::string_view(alert.rule));
  json.member("point", std::string_view(alert.point));
  json.key("value").value(alert.value);
  json.key("threshold").value(alert.threshold);
  json.member("severity", to_string(alert.severity));
  json.member("state", to_string(alert.state));
  json.member("since", std::string_view(to_rfc3339(alert.since)));
  json.member("timestamp", std::string_view(to_rfc3339(alert.at)));
  json.member("text", std::string_view(alert.text));
  return out;
}

}  // namespace lightship
