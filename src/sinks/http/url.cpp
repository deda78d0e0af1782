// Placeholders of URLs.
#include "sinks/http/url.h"

#include <charconv>

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "link/http_client.h"

namespace lightship::http {
namespace {

constexpr std::string_view kKnown[] = {"device_id", "connection_id", "client_id", "type"};
constexpr std::string_view kPoint = "point";

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
}

}  // namespace

std::optional<std::string> check_url(const std::string& url, bool with_point) {
  std::string sample;
  for (std::size_t at = 0; at < url.size();) {
    const auto open = url.find('{', at);
    sample += url.substr(at, open == std::string::npos ? open : open - at);
    if (open == std::string::npos) break;
    const auto close = url.find('}', open);
    if (close == std::string::npos) return "has a '{' without its '}'";
    const auto name = url.substr(open + 1, close - open - 1);
    if (name == kPoint && !with_point)
      return "has {point}, which is known only with shape: per_point and in alerts";
    std::vector<std::string> known(std::begin(kKnown), std::end(kKnown));
    if (with_point) known.emplace_back(kPoint);
    if (std::ranges::find(known, name) == known.end()) {
      return fmt::format("has the unknown placeholder {{{}}}; known are {{{}}}", name,
                         join(known, "}, {"));
    }
    sample += 'x';
    at = close + 1;
  }
  return link::check_http_url(sample);
}

std::optional<Server> server_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  Server server;
  server.port = to_lower(url.substr(0, scheme)) == "https" ? 443 : 80;
  auto authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const auto user = authority.rfind('@'); user != std::string_view::npos)
    authority.remove_prefix(user + 1);
  if (authority.find('{') != std::string_view::npos) return std::nullopt;
  const auto bracket = authority.find(']');
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const auto digits = authority.substr(colon + 1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), server.port);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || server.port == 0)
      return std::nullopt;
  }
  server.host = authority.substr(0, colon);
  if (server.host.empty()) return std::nullopt;
  return server;
}

bool has_placeholder(std::string_view url, std::string_view name) {
  return url.find(fmt::format("{{{}}}", name)) != std::string_view::npos;
}

std::string fill_url(std::string_view pattern,
                     std::span<const std::pair<std::string_view, std::string_view>> values) {
  std::string out;
  while (!pattern.empty()) {
    const auto open = pattern.find('{');
    out += pattern.substr(0, open);
    if (open == std::string_view::npos) break;
    pattern.remove_prefix(open);
    const auto close = pattern.find('}');
    if (close == std::string_view::npos) {
      out += pattern;
      break;
    }
    const auto name = pattern.substr(1, close - 1);
    for (const auto& [known, value] : values) {
      if (known == name) append_escaped(out, value);
    }
    pattern.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace lightship::http
