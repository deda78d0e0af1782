// Asks GET /api/status and prints it.
#include "cli/status.h"

#include <cstdlib>

#include <boost/json.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "app/app.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/control.h"
#include "cli/http_get.h"

namespace lightship::cli {

using namespace std::chrono_literals;

namespace {

constexpr Duration kPatience = 5s;

std::string port_of(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed) return {};
  const boost::urls::url_view where = *parsed;
  if (where.has_port()) return std::string(where.port());
  return where.scheme() == "https" ? "443" : "80";
}

bool is_here(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed) return false;
  const std::string host = parsed->host_address();
  if (host == "localhost") return true;
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(host, no_address);
  return !no_address && address.is_loopback();
}

// A gateway of this machine answers its own user over the control socket; it wants no log-in for
// that.
std::optional<std::string> ask_here(const std::string& url) {
  if (!is_here(url)) return std::nullopt;
  for (auto& gateway : RunningGateway::all()) {
    auto told = gateway.ask({{"do", "status"}}, kPatience);
    if (!told) continue;
    boost::system::error_code failed;
    const auto tree = boost::json::parse(*told, failed);
    if (failed || !tree.is_object()) continue;
    const auto* portal = tree.get_object().if_contains("portal");
    if (portal != nullptr && portal->is_string() &&
        port_of(std::string(portal->get_string())) == port_of(url)) {
      return std::move(*told);
    }
  }
  return std::nullopt;
}

Result<std::string> fetch(const StatusOptions& options) {
  if (auto here = ask_here(options.url)) return std::move(*here);
  std::string token;
  if (const char* given = std::getenv("LIGHTSHIP_TOKEN"); given != nullptr) token = trim(given);
  if (!options.token_file.empty()) {
    const auto kept = read_file(options.token_file, 4096);
    if (!kept) return fail(kept.error());
    token = trim(*kept);
  }
  const auto slash = options.url.ends_with('/') ? "" : "/";
  auto got = http_get({options.url + slash + "api/status", token, options.ca_file.string()});
  if (!got && got.error().code == Errc::unavailable)
    return fail(Errc::unavailable, "{}; is lightship running?", got.error().text);
  if (!got) return fail(got.error());
  if (got->status == 401) {
    return fail(Errc::refused,
                "{} wants {}: make one in the portal (Account, Tokens) and give it in "
                "LIGHTSHIP_TOKEN or with --token-file",
                options.url, token.empty() ? "an API token" : "another API token");
  }
  // One that is not well says so with 503 and its status.
  const bool told = got->status == 200 || got->status == 503;
  if (!told || !got->content_type.starts_with("application/json"))
    return fail(Errc::refused, "{} answers {}: {}", options.url, got->status,
                start_of(trim(got->body), 300));
  return std::move(got->body);
}

std::string text(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return "-";
  if (value->is_double()) return fmt::format("{:g}", value->as_double());
  return value->is_string() ? std::string(value->as_string()) : boost::json::serialize(*value);
}

void print_part(const boost::json::object& part) {
  fmt::print("{:<28} {:<9}", text(part, "name"), text(part, "life"));
  if (part.contains("line"))
    fmt::print(" {}, busy {} %", text(part, "line"), text(part, "busy_percent"));
  if (part.contains("broker")) {
    fmt::print(" {}, {}, {} waiting, {} acknowledged", text(part, "broker"),
               text(part, "connected") == "true" ? "connected" : "not connected",
               text(part, "waiting"), text(part, "acknowledged"));
  }
  if (part.contains("clients")) fmt::print(" {} clients", text(part, "clients"));
  if (part.contains("error")) fmt::print("  ({})", text(part, "error"));
  fmt::print("\n");
  const auto* devices = part.if_contains("devices");
  if (devices == nullptr || !devices->is_array()) return;
  for (const auto& entry : devices->as_array()) {
    if (!entry.is_object()) continue;
    const auto& device = entry.as_object();
    fmt::print("  {:<26} {:<9} {} (polls {}, failed {}, overruns {})\n", text(device, "id"),
               text(device, "online") == "true" ? "online" : "silent", text(device, "condition"),
               text(device, "polls"), text(device, "failed"), text(device, "overruns"));
  }
}

}  // namespace

int status(StatusOptions options) {
  if (options.url.empty()) {
    const auto kept = read_file(options.data_dir / "portal.url", 4096);
    options.url = kept ? std::string(trim(*kept)) : "http://127.0.0.1:8080";
  }
  const auto& url = options.url;
  const auto answer = fetch(options);
  if (!answer) {
    fmt::print(stderr, "lightship status: {}\n", answer.error().text);
    return answer.error().code == Errc::invalid ? app::kUsage : app::kUnavailable;
  }
  if (options.json) {
    fmt::print("{}\n", *answer);
    return app::kFine;
  }
  boost::system::error_code failed;
  const auto tree = boost::json::parse(*answer, failed);
  if (failed || !tree.is_object()) {
    fmt::print(stderr, "lightship status: {} did not answer with JSON\n", url);
    return app::kUnavailable;
  }
  const auto& all = tree.as_object();
  fmt::print("{} is {}, lightship {}, up {} s, configuration {}\n", text(all, "device_id"),
             text(all, "state"), text(all, "version"), text(all, "uptime_s"),
             all.contains("config") ? text(all.at("config").as_object(), "directory") : "-");
  if (const auto* parts = all.if_contains("parts"); parts != nullptr && parts->is_array()) {
    for (const auto& part : parts->as_array()) {
      if (part.is_object()) print_part(part.as_object());
    }
  }
  return app::kFine;
}

}  // namespace lightship::cli
