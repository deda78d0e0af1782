// getifaddrs(3), /sys/class/net, /proc/net, resolv.conf.
#include "portal/diag/network.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/text.h"
#include "link/sockets.h"
#include "link/tcp.h"

namespace lightship::portal {
namespace {

constexpr std::size_t kMostInterfaces = 128, kMostRoutes = 256;

std::optional<std::uint32_t> hex_number(std::string_view word) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), number, 16);
  if (read.ec != std::errc{} || read.ptr != word.data() + word.size()) return std::nullopt;
  return number;
}

std::string mac_text(const unsigned char* bytes, std::size_t size) {
  auto text = to_lower(to_hex(Bytes(bytes, size), ':'));
  return text.find_first_not_of("0:") == std::string::npos ? std::string() : text;
}

int prefix_of(const sockaddr* mask) {
  if (mask == nullptr) return -1;
  const auto ones = [](const void* from, std::size_t size) {
    int count = 0;
    for (std::size_t i = 0; i < size; ++i)
      count += std::popcount(static_cast<const unsigned char*>(from)[i]);
    return count;
  };
  if (mask->sa_family == AF_INET6)
    return ones(&reinterpret_cast<const sockaddr_in6*>(mask)->sin6_addr, 16);
  return ones(&reinterpret_cast<const sockaddr_in*>(mask)->sin_addr, 4);
}

void add_address(Interface& to, const ifaddrs& from) {
  char text[INET6_ADDRSTRLEN]{};
  const bool v6 = from.ifa_addr->sa_family == AF_INET6;
  const void* bytes =
      v6 ? static_cast<const void*>(
               &reinterpret_cast<const sockaddr_in6*>(from.ifa_addr)->sin6_addr)
         : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(from.ifa_addr)->sin_addr);
  if (::inet_ntop(from.ifa_addr->sa_family, bytes, text, sizeof text) == nullptr) return;
  const int prefix = prefix_of(from.ifa_netmask);
  to.addresses.push_back(prefix < 0 ? std::string(text) : fmt::format("{}/{}", text, prefix));
}

// The kernel writes each 32 bits of an IPv4 address as the machine keeps a number.
std::string v4_text(std::uint32_t as_kept) {
  char text[INET_ADDRSTRLEN]{};
  const in_addr address{as_kept};
  ::inet_ntop(AF_INET, &address, text, sizeof text);
  return text;
}

std::string v6_text(std::string_view digits) {
  const auto bytes = from_hex(digits);
  if (!bytes || bytes->size() != 16) return {};
  char text[INET6_ADDRSTRLEN]{};
  ::inet_ntop(AF_INET6, bytes->data(), text, sizeof text);
  return text;
}

constexpr std::uint32_t kUp = 0x1, kReject = 0x200, kLocal = 0x80000000;  // linux/route.h

void add_routes_v4(const SysTree& tree, std::vector<RouteEntry>& all) {
  const auto text = tree.text("/proc/net/route");
  for (const auto line : split(text, '\n')) {
    const auto words = words_of(line, 8);
    if (words.size() < 8) continue;
    const auto to = hex_number(words[1]), via = hex_number(words[2]), flags = hex_number(words[3]),
               mask = hex_number(words[7]);
    if (!to || !via || !flags || !mask || (*flags & kUp) == 0) continue;
    const int prefix = std::popcount(*mask);
    all.push_back({prefix == 0 ? "default" : fmt::format("{}/{}", v4_text(*to), prefix),
                   *via == 0 ? std::string() : v4_text(*via), std::string(words[0])});
    if (all.size() >= kMostRoutes) return;
  }
}

void add_routes_v6(const SysTree& tree, std::vector<RouteEntry>& all) {
  const auto text = tree.text("/proc/net/ipv6_route");
  for (const auto line : split(text, '\n')) {
    const auto words = words_of(line, 10);
    if (words.size() < 10 || all.size() >= kMostRoutes) continue;
    const auto prefix = hex_number(words[1]), flags = hex_number(words[8]);
    // Own addresses, multicast and what is refused are not ways to anywhere.
    if (!prefix || !flags || (*flags & kUp) == 0 || (*flags & (kReject | kLocal)) != 0 ||
        words[0].starts_with("ff") || words[9] == "lo")
      continue;
    const auto via = v6_text(words[4]);
    all.push_back({*prefix == 0 ? "default" : fmt::format("{}/{}", v6_text(words[0]), *prefix),
                   via == "::" ? std::string() : via, std::string(words[9])});
  }
}

struct Counts {
  std::uint64_t received = 0, sent = 0, errors = 0;
};
std::map<std::string, Counts, std::less<>> counts_of_proc(const SysTree& tree) {
  std::map<std::string, Counts, std::less<>> all;
  const auto text = tree.text("/proc/net/dev");
  for (const auto line : split(text, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::uint64_t numbers[11]{};
    const auto words = words_of(line.substr(colon + 1), 11);
    for (std::size_t i = 0; i < words.size(); ++i)
      std::from_chars(words[i].data(), words[i].data() + words[i].size(), numbers[i]);
    all[std::string(trim(line.substr(0, colon)))] = {numbers[0], numbers[8],
                                                     numbers[2] + numbers[10]};
  }
  return all;
}

}  // namespace

std::vector<Interface> interfaces_now() {
  std::vector<Interface> all;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return all;
  for (auto* at = first; at != nullptr; at = at->ifa_next) {
    auto known = std::ranges::find(all, at->ifa_name, &Interface::name);
    if (known == all.end()) {
      if (all.size() >= kMostInterfaces) break;
      all.push_back({.name = at->ifa_name});
      known = std::prev(all.end());
    }
    known->up = (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_RUNNING) != 0;
    if (at->ifa_addr == nullptr) continue;
    if (at->ifa_addr->sa_family == AF_INET || at->ifa_addr->sa_family == AF_INET6)
      add_address(*known, *at);
    if (at->ifa_addr->sa_family == AF_PACKET) {
      const auto* link = reinterpret_cast<const sockaddr_ll*>(at->ifa_addr);
      known->mac = mac_text(link->sll_addr, std::min<std::size_t>(link->sll_halen, 8));
    }
  }
  ::freeifaddrs(first);
  return all;
}

std::vector<Interface> interfaces(const SysTree& tree, std::vector<Interface> known) {
  const auto counts = counts_of_proc(tree);
  // In a container /sys may be another network's: it is asked for names only where nobody else is.
  const bool unknown = known.empty();
  for (const auto& name : unknown ? tree.names("/sys/class/net") : std::vector<std::string>{}) {
    const auto state = tree.line("/sys/class/net/" + name + "/operstate");
    if (state.empty()) continue;  // a file such as bonding_masters
    known.push_back({.name = name, .up = state == "up"});
  }
  for (auto& one : known) {
    const auto at = "/sys/class/net/" + one.name + "/";
    if (one.mac.empty()) {
      one.mac = tree.line(at + "address");
      if (one.mac.find_first_not_of("0:") == std::string::npos) one.mac.clear();
    }
    if (const auto speed = tree.number(at + "speed"); one.up && speed && *speed > 0)
      one.speed_mbit = speed;
    const auto count = [&](const char* file) {
      return static_cast<std::uint64_t>(tree.number(at + "statistics/" + file).value_or(0));
    };
    if (tree.exists(at + "statistics/rx_bytes")) {
      one.received_bytes = count("rx_bytes");
      one.sent_bytes = count("tx_bytes");
      one.errors = count("rx_errors") + count("tx_errors");
    } else if (const auto seen = counts.find(one.name); seen != counts.end()) {
      one.received_bytes = seen->second.received;
      one.sent_bytes = seen->second.sent;
      one.errors = seen->second.errors;
    }
  }
  return known;
}

std::vector<RouteEntry> routes(const SysTree& tree) {
  std::vector<RouteEntry> all;
  add_routes_v4(tree, all);
  add_routes_v6(tree, all);
  return all;
}

std::vector<std::string> name_servers(const SysTree& tree) {
  std::vector<std::string> all;
  const auto text = tree.text("/etc/resolv.conf");
  for (const auto line : split(text, '\n')) {
    const auto words = words_of(line, 2);
    if (words.size() == 2 && words[0] == "nameserver" && all.size() < 8) all.emplace_back(words[1]);
  }
  return all;
}

std::string host_name() {
  char name[256]{};
  return ::gethostname(name, sizeof name - 1) == 0 ? std::string(name) : std::string();
}

namespace {

Task<void> try_one(Clock& clock, Peer peer, std::chrono::nanoseconds limit, Reach& into) {
  const auto begun = clock.mono();
  auto line = co_await link::dial_tcp(clock, peer.host, peer.port, limit);
  if (line) {
    into.ok = true;
    into.ms = to_ms(clock.mono() - begun);
    (*line)->close();
  } else {
    into.error = line.error().text;
  }
}

}  // namespace

Task<std::vector<Reach>> reach(Clock& clock, std::vector<Peer> peers,
                               std::chrono::nanoseconds limit) {
  constexpr std::size_t kMost = 64;
  if (peers.size() > kMost) peers.resize(kMost);
  std::vector<Reach> found(peers.size());
  TaskGroup all(co_await asio::this_coro::executor);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    found[i].name = peers[i].name;
    found[i].address = link::host_with_port(peers[i].host, peers[i].port);
    all.spawn(try_one(clock, std::move(peers[i]), limit, found[i]));
  }
  co_await all.run();
  co_return found;
}

}  // namespace lightship::portal
