// The machine's network as it is now: interfaces, routes, name servers; and who can be reached.
#pragma once

#include <boost/asio/ip/address.hpp>

#include "base/clock.h"
#include "portal/diag/sys_tree.h"

namespace lightship::portal {

struct Interface {
  std::string name;
  bool up = false;
  std::string mac;                         // empty where there is none
  std::optional<std::int64_t> speed_mbit;  // of a link that is up and knows it
  std::vector<std::string> addresses;      // "192.168.1.20/24"
  std::uint64_t received_bytes = 0, sent_bytes = 0, errors = 0;
};
// What getifaddrs(3) knows; the rest is from /sys, or where that is not there from /proc/net/dev.
std::vector<Interface> interfaces_now();
std::vector<Interface> interfaces(const SysTree& tree, std::vector<Interface> known);

struct RouteEntry {
  std::string destination;  // "default", "192.168.1.0/24"
  std::string via;          // empty: directly
  std::string interface;
};
std::vector<RouteEntry> routes(const SysTree& tree);

std::vector<std::string> name_servers(const SysTree& tree);  // resolv.conf(5)
std::string host_name();

// Whom the gateway talks to.
struct Peer {
  std::string name;  // "MQTT publisher"
  std::string host;
  std::uint16_t port = 0;
};
struct Reach {
  std::string name, address;
  bool ok = false;
  std::optional<double> ms;
  std::string error;
};
// Connects to all at once and hangs up again; none takes longer than `limit`.
Task<std::vector<Reach>> reach(Clock& clock, std::vector<Peer> peers,
                               std::chrono::nanoseconds limit);

}  // namespace lightship::portal
