// Finds the row of the table, and who may.
#include "portal/router.h"

#include <boost/json/parse.hpp>

#include "base/text.h"

namespace lightship::portal {
namespace {

constexpr std::string_view kApi = "/api";

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto slash = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, slash));
    path.remove_prefix(slash);
  }
  return segments;
}

bool is_part(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}

// The parts of the path where it fits the pattern.
std::optional<std::map<std::string, std::string, std::less<>>> fit(
    const std::vector<std::string_view>& path, const std::vector<std::string>& wanted) {
  if (wanted.size() != path.size()) return std::nullopt;
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    if (wanted[at] != path[at] && !is_part(wanted[at])) return std::nullopt;
  }
  std::map<std::string, std::string, std::less<>> parts;
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    if (!is_part(wanted[at])) continue;
    auto decoded = percent_decode(path[at]);
    if (!decoded || decoded->empty()) return std::nullopt;
    parts.emplace(wanted[at].substr(1, wanted[at].size() - 2), std::move(*decoded));
  }
  return parts;
}

bool changes(std::string_view method) { return method != "GET"; }

// Takes as long for a wrong one as for a nearly right one.
bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char differ = 0;
  for (std::size_t at = 0; at < a.size(); ++at) differ |= static_cast<unsigned char>(a[at] ^ b[at]);
  return differ == 0;
}

}  // namespace

Result<boost::json::object> Call::body() const {
  if (trim(request.body).empty()) return boost::json::object{};
  boost::system::error_code failed;
  boost::json::parse_options options;
  options.max_depth = 16;
  auto value = boost::json::parse(request.body, failed, {}, options);
  if (failed) return fail(Errc::invalid, "the body is no JSON: {}", failed.message());
  if (!value.is_object())
    return fail(Errc::invalid,
                "the body is JSON, but not an object such as {{\"name\":\"value\"}}");
  return std::move(value.as_object());
}

void Router::add(Route route) {
  auto& segments = segments_.emplace_back();
  for (const auto segment : segments_of(route.pattern)) segments.emplace_back(segment);
  routes_.push_back(std::move(route));
}

Task<Response> Router::answer(const Request& request) const {
  return answer(request, gate_.who(request));
}

Task<Response> Router::answer(const Request& request, std::optional<Caller> caller) const {
  const bool api = request.path == kApi || request.path.starts_with("/api/");
  const auto path = segments_of(request.path);

  const Route* route = nullptr;
  std::vector<std::string> methods;
  Call call{request, {}, {}};
  for (std::size_t at = 0; at < routes_.size(); ++at) {
    const auto& row = routes_[at];
    auto parts = fit(path, segments_[at]);
    if (!parts) continue;
    methods.push_back(row.method);
    if (row.method != request.method) continue;
    route = &row;
    call.parts = std::move(*parts);
    break;
  }
  if (!api && methods.empty()) co_return co_await elsewhere_(request, caller);

  const bool open = route != nullptr && !route->least;
  if (!open && !caller) {
    auto refused = problem(401, "Unauthorized", "Sign in first.");
    refused.headers.emplace_back("WWW-Authenticate", "Bearer");
    co_return refused;
  }
  if (!open && caller->must_change_password &&
      !(route != nullptr && route->before_password_change)) {
    co_return problem(
        403, "Forbidden",
        "The first password must be changed before anything else: POST /api/password.",
        "password-change-required");
  }
  if (methods.empty())
    co_return problem(404, "Not Found", "There is nothing at " + request.path + ".");
  if (route == nullptr) {
    auto refused =
        problem(405, "Method Not Allowed",
                fmt::format("{} is not known here; {} is.", request.method, join(methods, ", ")));
    refused.headers.emplace_back("Allow", join(methods, ", "));
    co_return refused;
  }
  if (!open) {
    if (caller->role < *route->least) {
      co_return problem(403, "Forbidden",
                        fmt::format("This needs the role {}; {} is {}.", to_string(*route->least),
                                    caller->user, to_string(caller->role)),
                        "role");
    }
    if (changes(route->method) && caller->token.empty() &&
        !same(caller->csrf, request.header("x-csrf-token"))) {
      co_return problem(403, "Forbidden",
                        "The header X-CSRF-Token is missing or is not this session's; it is told "
                        "by GET /api/session.",
                        "csrf");
    }
  }
  if (caller) call.caller = std::move(*caller);
  co_return co_await route->handler(call);
}

}  // namespace lightship::portal
