// URLs with placeholders: {device_id} {connection_id} {client_id} {type} {point}.
//
// What is filled in is escaped, so that a name never adds a segment or a parameter.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lightship::http {

// What is wrong with the URL to post to, or nothing. {point} is known where `with_point`.
std::optional<std::string> check_url(const std::string& url, bool with_point);

// Host and port of the URL, without user and password; nothing where a placeholder is in them.
struct Server {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const Server&, const Server&) = default;
};
std::optional<Server> server_of(std::string_view url);

bool has_placeholder(std::string_view url, std::string_view name);

std::string fill_url(std::string_view pattern,
                     std::span<const std::pair<std::string_view, std::string_view>> values);

}  // namespace lightship::http
