// Asks GET /api/status and prints it.
#include "cli/status.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "app/app.h"
#include "base/file.h"
#include "base/text.h"

namespace lightship::cli {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

Result<std::string> fetch(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || parsed->scheme() != "http" || parsed->host().empty()) {
    return fail(Errc::invalid, "'{}' is not a URL such as http://127.0.0.1:8080", url);
  }
  const boost::urls::url_view where = *parsed;
  const std::string host = where.host_address(),
                    port = where.has_port() ? std::string(where.port()) : "80";
  asio::io_context loop(1);
  boost::system::error_code failed;
  const auto found = asio::ip::tcp::resolver(loop).resolve(host, port, failed);
  if (failed) return fail(Errc::unavailable, "{}: {}", host, failed.message());
  boost::beast::tcp_stream stream(loop);
  stream.connect(found, failed);
  if (failed)
    return fail(Errc::unavailable, "nobody answers at {} ({}); is lightship running?", url,
                failed.message());
  // A blocking socket keeps no Beast time-out; the kernel's is as good.
  const timeval limit{5, 0};
  ::setsockopt(stream.socket().native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  http::request<http::empty_body> request(http::verb::get, "/api/status", 11);
  request.set(http::field::host, host);
  request.set(http::field::user_agent, "lightship");
  http::write(stream, request, failed);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(16 << 20);
  if (!failed) http::read(stream, buffer, parser, failed);
  if (failed) return fail(Errc::unavailable, "{} does not answer: {}", url, failed.message());
  if (parser.get().result_int() != 200) {
    return fail(Errc::refused, "{} answers {}: {}", url, parser.get().result_int(),
                trim(parser.get().body()));
  }
  return parser.get().body();
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

int status(std::string url, const std::filesystem::path& data_dir, bool json) {
  if (url.empty()) {
    const auto kept = read_file(data_dir / "portal.url", 4096);
    url = kept ? std::string(trim(*kept)) : "http://127.0.0.1:8080";
  }
  const auto answer = fetch(url);
  if (!answer) {
    fmt::print(stderr, "lightship status: {}\n", answer.error().text);
    return answer.error().code == Errc::invalid ? app::kUsage : app::kUnavailable;
  }
  if (json) {
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
