// The alert message: what a change on the board of alerts looks like outside
// (src/sinks/mqtt/README.md).
#pragma once

#include <string>
#include <vector>

#include "core/alert.h"
#include "core/catalog.h"

namespace lightship {

// Without the closing brace, as measurement messages.
std::string compose_alert(const std::string& site, const Catalog& catalog, const Alert& alert);

// Nothing: the gateway itself.
std::optional<Alert::Whose> whose_is(const Catalog& catalog, const Alert& alert);

// Whose it is, for placeholders. An alert of the gateway itself is of connection and type `host`
// and client `gateway`, and its point is its rule.
struct AlertOrigin {
  std::string connection, client, type, point;
};
AlertOrigin origin_of(const Catalog& catalog, const Alert& alert);

// Those of `types` (which have a place for alerts) that it goes to: an alert of a device to its
// type, one of the gateway itself to `host` where that has a place, else to all of them.
std::vector<std::string> types_for(const Catalog& catalog, const Alert& alert,
                                   const std::vector<std::string>& types);

}  // namespace lightship
