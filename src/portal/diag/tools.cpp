// Checks hosts and counts places.
#include "portal/diag/tools.h"

#include <algorithm>

#include <fmt/format.h>
#include <boost/asio/ip/address.hpp>

#include "base/text.h"

namespace lightship::portal {
namespace {

constexpr std::size_t kMostName = 253, kMostLabel = 63;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kMostLabel) return false;
  const auto fits = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; };
  return label.front() != '-' && label.back() != '-' && std::ranges::all_of(label, fits);
}

}  // namespace

std::optional<std::string> wrong_host(std::string_view host) {
  if (host.empty()) return "which host? A name such as gateway.example or an address";
  if (host.size() > kMostName)
    return fmt::format("{} bytes are too many: a name has at most {}", host.size(), kMostName);
  const std::string text(host);
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(text, failed);
  // make_address stops at a NUL, and takes anything behind the % of a scope.
  const bool plain = std::ranges::all_of(host, [](char c) {
    return is_letter_or_digit(c) || c == '.' || c == ':' || c == '%' || c == '-' || c == '_';
  });
  if (!failed && plain) {
    if (address.is_multicast()) return "this is the address of a group; ask one host";
    if (address.is_unspecified()) return "this is the address of nobody";
    if (address == asio::ip::address_v4::broadcast())
      return "this is the address of everybody; ask one host";
    return std::nullopt;
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  for (const auto label : split(host, '.')) {
    if (!is_label(label))
      return "this is neither a name nor an address: names have letters, digits and dashes between "
             "their dots, such as gateway.example";
  }
  return std::nullopt;
}

ToolBench::Place ToolBench::take(Busy& busy) {
  if (*running_ >= kMostAtOnce) {
    busy = {fmt::format("{} tools run already. Wait for one of them, or stop it.", kMostAtOnce), 2};
    return nullptr;
  }
  if (!budget_.take(clock_.mono())) {
    busy = {"So many tools in so short a time are no diagnosis. Again in a second.", 1};
    return nullptr;
  }
  ++*running_;
  return Place(running_.get(), [running = running_](void*) { --*running; });
}

}  // namespace lightship::portal
