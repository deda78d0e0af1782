// Which file a path means for whom, and in which form it is sent.
#include "portal/site_files.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "link/gzip.h"
#include "portal/site_folder.h"

namespace lightship::portal {
namespace {

constexpr std::string_view kAssets = "/assets/";
constexpr std::string_view kLoginPage = "/login.html";
constexpr std::string_view kPage = "/index.html";

// The editor is why style elements are allowed; everything else comes from here or not at all.
constexpr std::string_view kPolicy =
    "default-src 'self'; script-src 'self'; style-src-elem 'self' 'unsafe-inline'; "
    "style-src-attr 'none'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

void guard(Response& response) {
  response.headers.emplace_back("Content-Security-Policy", kPolicy);
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
}

Response sign_in_first() {
  auto response = problem(401, "Unauthorized", "Sign in first.");
  guard(response);
  return response;
}

bool is_page(std::string_view path) { return path.ends_with(".html"); }

// "0.5" of "gzip;q=0.5"; 1 where nothing is said, 0 where it makes no sense.
double weight(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto one = trim(parameters.substr(0, parameters.find(';')));
    parameters.remove_prefix(std::min(parameters.size(), parameters.find(';')));
    if (!parameters.empty()) parameters.remove_prefix(1);
    if (!one.starts_with("q=") && !one.starts_with("Q=")) continue;
    double value = 0;
    const auto text = one.substr(2);
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    return wrong == std::errc{} && end == text.data() + text.size() ? value : 0;
  }
  return 1;
}

// Calls `each` with every part of a list such as "a, b;q=0.5".
template <class F>
void for_each_of(std::string_view list, F each) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (const auto one = trim(list.substr(0, comma)); !one.empty()) each(one);
    list.remove_prefix(std::min(list.size(), comma + 1));
  }
}

}  // namespace

bool takes_gzip(std::string_view accept_encoding) {
  std::optional<double> gzip, any, plain;
  for_each_of(accept_encoding, [&](std::string_view one) {
    const auto semicolon = std::min(one.find(';'), one.size());
    const auto name = to_lower(trim(one.substr(0, semicolon)));
    const auto q = weight(one.substr(std::min(one.size(), semicolon + 1)));
    if (name == "gzip" || name == "x-gzip") gzip = q;
    if (name == "*") any = q;
    if (name == "identity") plain = q;
  });
  const double wanted = gzip.value_or(any.value_or(0));
  return wanted > 0 && wanted >= plain.value_or(0);
}

bool matches(std::string_view if_none_match, std::string_view etag) {
  bool found = false;
  for_each_of(if_none_match, [&](std::string_view one) {
    if (one.starts_with("W/")) one.remove_prefix(2);
    found = found || one == "*" || one == etag;
  });
  return found;
}

// What is there by a name, in the program or in the folder.
struct SiteFiles::Found {
  const SiteFile* packed = nullptr;
  FolderFile loose{};

  bool login() const { return packed ? packed->login : loose.login; }
};

Task<std::optional<SiteFiles::Found>> SiteFiles::find(std::string path) {
  if (disk_ != nullptr) {
    auto loose = co_await disk_->run([root = root_, path] { return read_from(root, path); });
    if (!loose) co_return std::nullopt;
    co_return Found{nullptr, std::move(*loose)};
  }
  const auto at = std::ranges::lower_bound(files_, std::string_view(path), {}, &SiteFile::path);
  if (at == files_.end() || at->path != path) co_return std::nullopt;
  co_return Found{&*at, {}};
}

std::shared_ptr<const std::string> SiteFiles::unpacked(const SiteFile& file) {
  auto& kept = unpacked_[file.path];
  if (!kept) {
    auto plain = link::gunzip(file.bytes(), file.raw_size);
    if (plain) kept = std::make_shared<const std::string>(std::move(*plain));
  }
  return kept;
}

Task<Response> SiteFiles::answer(const Request& request, const std::optional<Caller>& caller) {
  if (request.method != "GET") {
    if (!caller) co_return sign_in_first();
    auto refused = problem(405, "Method Not Allowed",
                           request.method + " is not known here; GET and HEAD are.");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    guard(refused);
    co_return refused;
  }
  const auto asked = percent_decode(request.path);
  const bool asset = asked && asked->starts_with(kAssets);
  std::optional<Found> found;
  if (asked && !is_page(*asked)) found = co_await find(*asked);
  if (found && !caller && !found->login()) found.reset();
  if (!found && asset) {
    if (!caller) co_return sign_in_first();
    auto missing = problem(404, "Not Found", "There is no file " + *asked + ".");
    guard(missing);
    co_return missing;
  }
  if (!found) {
    const bool login = !caller || (asked && (*asked == "/login" || *asked == kLoginPage));
    found = co_await find(std::string(login ? kLoginPage : kPage));
  }
  if (!found) {  // only in a folder that is not built
    auto none = problem(503, "Not Built", "There are no pages in " + root_.string() + ".");
    guard(none);
    co_return none;
  }

  Response response;
  guard(response);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (found->packed == nullptr) {
    response.headers.emplace_back("Cache-Control", "no-store");
    response.content_type = found->loose.type;
    response.body = std::move(found->loose.bytes);
    co_return response;
  }
  const auto& file = *found->packed;
  response.headers.emplace_back("Cache-Control",
                                asset ? "private, max-age=31536000, immutable" : "no-cache");
  response.headers.emplace_back("ETag", file.etag);
  response.content_type = file.type;
  if (matches(request.header("if-none-match"), file.etag)) {
    response.status = 304;
    co_return response;
  }
  if (!file.gzip) {
    response.fixed = file.bytes();
  } else if (takes_gzip(request.header("accept-encoding"))) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.fixed = file.bytes();
  } else {
    response.shared = unpacked(file);
  }
  co_return response;
}

}  // namespace lightship::portal
