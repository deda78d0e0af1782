// Reads queries and cookies, makes the answers that every handler needs.
#include "portal/http/message.h"

#include "base/json_writer.h"
#include "base/text.h"

namespace lightship::portal {
namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known == name) return value;
  }
  return {};
}

std::optional<std::string> Request::parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const auto equals = part.find('=');
    const auto key = percent_decode(part.substr(0, equals));
    if (!key || *key != name) continue;
    if (equals == std::string_view::npos) return std::string();
    std::string value(part.substr(equals + 1));
    std::ranges::replace(value, '+', ' ');  // as HTML forms write a space
    return percent_decode(value);
  }
  return std::nullopt;
}

std::optional<std::string> Request::cookie(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known != "cookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto pair = trim(rest.substr(0, rest.find(';')));
      rest.remove_prefix(std::min(rest.size(), rest.substr(0, rest.find(';')).size() + 1));
      const auto equals = pair.find('=');
      if (equals != std::string_view::npos && pair.substr(0, equals) == name)
        return std::string(pair.substr(equals + 1));
    }
  }
  return std::nullopt;
}

std::string_view Response::text() const {
  if (shared) return *shared;
  return fixed.empty() ? std::string_view(body) : fixed;
}

Response problem(int status, std::string_view title, std::string_view detail,
                 std::string_view type) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  JsonWriter json(response.body);
  json.begin_object().member("type", type).member("title", title).member("status", status);
  json.member("detail", detail).end_object();
  return response;
}

Response json_answer(std::string text) {
  Response response;
  response.content_type = "application/json";
  response.body = std::move(text);
  return response;
}

Response no_content() {
  Response response;
  response.status = 204;
  return response;
}

bool asks_for_web_socket(const Request& request) {
  const auto wants = [&](std::string_view name, std::string_view word) {
    return to_lower(request.header(name)).find(word) != std::string::npos;
  };
  return request.method == "GET" && wants("upgrade", "websocket") && wants("connection", "upgrade");
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\0') return std::nullopt;
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const int high = digit(text[at + 1]), low = digit(text[at + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return out;
}

}  // namespace lightship::portal
