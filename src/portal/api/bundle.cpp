// Collects, masks, packs.
#include "portal/api/bundle.h"

#include <fstream>

#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "base/version.h"
#include "link/gzip.h"
#include "portal/api/said.h"
#include "portal/diag/config_text.h"
#include "portal/diag/log_search.h"
#include "portal/diag/masker.h"
#include "portal/diag/sys_tree.h"
#include "portal/diag/tar.h"

namespace lightship::portal {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostConfigFiles = 64, kMostConfigBytes = 1 << 20;
constexpr std::size_t kMostAnswer = 16 << 20;
constexpr std::uintmax_t kMostAudit = 512 << 10;
constexpr std::size_t kMostListed = 500;

// What of the API goes in, under which name.
struct FromApi {
  const char *path, *query, *name;
  bool text = true;  // swept for secrets
};
constexpr FromApi kFromApi[] = {
    {"/api/status", "", "status.json"},
    {"/api/metrics", "minutes=1440", "metrics.json"},
    {"/api/device-health", "", "devices.json"},
    {"/api/diag/lines", "", "lines.json"},
    {"/api/alerts", "", "alerts.json"},
    {"/api/diag/hardware", "", "hardware.json"},
    {"/api/diag/network", "", "network.json"},
    {"/api/diag/time", "", "time.json"},
    {"/api/diag/frames.pcapng", "", "frames.pcapng", false},
};

// The end of a file, from its first whole line on.
std::string end_of(const fs::path& file, std::uintmax_t most) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return {};
  const auto size = static_cast<std::uintmax_t>(std::max<std::streamoff>(in.tellg(), 0));
  const auto from = size > most ? size - most : 0;
  in.seekg(static_cast<std::streamoff>(from));
  std::string text(static_cast<std::size_t>(size - from), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (from > 0) text.erase(0, text.find('\n') + 1);
  return text;
}

struct Named {
  std::string name, content;
};

// What is read from disks: configuration, audit, learned.json, listings. On the worker.
struct FromDisk {
  Masker masker;
  std::vector<Named> files;
  std::vector<std::string> missing;
};

// A file's text, or why it is left out.
Result<std::string> shown_file(const fs::path& file, const ConfigKeys& known, Masker& masker) {
  const auto text = read_file(file, kMostConfigBytes);
  if (!text) return fail(text.error());
  const auto keys = known.find(file.filename().string());
  if (keys != known.end()) return config_text(*text, keys->second, masker);
  masker.learn_file(*text);
  return fail(Errc::invalid,
              "it is none of the files that are read here, so nobody knows where its secrets are");
}

FromDisk read_disk(const fs::path& config_dir, const fs::path& data_dir, const ConfigKeys& known) {
  FromDisk found;
  found.masker.learn_secrets(config_dir);
  for (const auto& file : configuration_files(config_dir)) {
    const auto name = "config/" + file.filename().string();
    auto text = shown_file(file, known, found.masker);
    if (text)
      found.files.push_back({name, std::move(*text)});
    else
      found.missing.push_back(name + ": " + text.error().text);
  }
  if (!data_dir.empty()) {
    found.files.push_back({"data.txt", listing(data_dir)});
    if (auto learned = read_file(data_dir / "learned.json", kMostConfigBytes))
      found.files.push_back({"learned.json", std::move(*learned)});
    found.files.push_back({"audit.jsonl", end_of(data_dir / "audit.jsonl", kMostAudit)});
  }
  // What one masked file says may stand openly in another.
  for (auto& file : found.files) file.content = found.masker.sweep(std::move(file.content));
  return found;
}

struct Bundle {
  Router& router;
  BundleDesk& desk;
  ToolBench::Place place;
  Caller caller;
  asio::ip::address peer;

  std::size_t turn = 0;
  Masker masker{};
  std::vector<std::string> missing{};
  link::GzipStream packer{};
  bool ended = false;
};

std::string packed(Bundle& bundle, std::string_view name, std::string_view content) {
  return bundle.packer.add(tar_entry(fmt::format("lightship-support/{}", name), content,
                                     bundle.desk.context.clock.now()));
}

Task<std::string> pack_disk(Bundle& bundle) {
  auto reading = bundle.desk.disk.run(
      [config = bundle.desk.context.config_dir, data = bundle.desk.context.data_dir,
       known = bundle.desk.known] { return read_disk(config, data, known()); });
  auto found = co_await std::move(reading);
  bundle.masker = std::move(found.masker);
  bundle.missing = std::move(found.missing);
  std::string out = packed(
      bundle, "version.txt",
      fmt::format("lightship {}\n{}\n", version(), to_rfc3339(bundle.desk.context.clock.now())));
  for (const auto& file : found.files) out += packed(bundle, file.name, file.content);
  co_return out;
}

Task<std::string> pack_metrics(Bundle& bundle) {
  std::function<std::string(Context&)> question = [ask = bundle.desk.prometheus](Context&) {
    return ask();
  };
  const auto text = co_await bundle.desk.field.ask(std::move(question));
  if (!text) {
    bundle.missing.emplace_back("metrics.txt: the gateway's loop did not answer");
    co_return std::string();
  }
  co_return packed(bundle, "metrics.txt", bundle.masker.sweep(*text));
}

std::string pack_log(Bundle& bundle) {
  std::string text;
  for (const auto& line : bundle.desk.context.logbook.ring().lines()) {
    append_json(text, *line);
    text += '\n';
  }
  return packed(bundle, "log.jsonl", bundle.masker.sweep(std::move(text)));
}

// Asks a row of the table as whoever wants the bundle.
Task<std::string> pack_answer(Bundle& bundle, const FromApi& what) {
  const auto& routes = bundle.router.routes();
  const auto row = std::ranges::find_if(routes, [&](const Route& route) {
    return route.method == "GET" && route.pattern == what.path;
  });
  if (row == routes.end()) co_return std::string();
  Request request;
  request.method = "GET";
  request.path = what.path;
  request.query = what.query;
  request.peer = bundle.peer;
  const Call call{request, bundle.caller, {}};
  auto answering = row->handler(call);
  const auto answer = co_await std::move(answering);
  std::string content(answer.text());
  while (answer.pieces && content.size() < kMostAnswer) {
    auto asking = answer.pieces();
    const auto piece = co_await std::move(asking);
    if (!piece) break;
    content += *piece;
  }
  if (answer.status != 200) {
    bundle.missing.push_back(
        fmt::format("{}: {} {}", what.name, answer.status, start_of(content, 500)));
    co_return std::string();
  }
  if (what.text) content = bundle.masker.sweep(std::move(content));
  co_return packed(bundle, what.name, content);
}

std::string pack_missing(Bundle& bundle) {
  std::string out;
  if (!bundle.missing.empty())
    out = packed(bundle, "missing.txt", bundle.masker.sweep(join(bundle.missing, "\n") + "\n"));
  out += bundle.packer.add(tar_end());
  return out + bundle.packer.finish();
}

Task<std::optional<std::string>> next_piece(std::shared_ptr<Bundle> bundle) {
  if (bundle->ended) co_return std::nullopt;
  const auto turn = bundle->turn++;
  if (turn == 0) co_return co_await pack_disk(*bundle);
  if (turn == 1) co_return pack_log(*bundle);
  if (turn == 2) co_return co_await pack_metrics(*bundle);
  if (turn - 3 < std::size(kFromApi)) co_return co_await pack_answer(*bundle, kFromApi[turn - 3]);
  bundle->ended = true;
  co_return pack_missing(*bundle);
}

Task<Response> answer(Router& router, BundleDesk& desk, const Call& call) {
  ToolBench::Busy busy;
  auto place = desk.bench.take(busy);
  if (!place) {
    auto refused = problem(429, "Too Many Requests", busy.why, "too-many-requests");
    refused.headers.emplace_back("Retry-After", std::to_string(busy.again_s));
    co_return refused;
  }
  auto telling = tell_audit(desk.field, line_of(call, "support-bundle"));
  co_await std::move(telling);

  const auto bundle =
      std::make_shared<Bundle>(router, desk, std::move(place), call.caller, call.request.peer);
  auto time = to_rfc3339(desk.context.clock.now()).substr(0, 19);
  std::erase(time, ':');
  Response response;
  response.content_type = "application/gzip";
  response.headers.emplace_back(
      "Content-Disposition",
      fmt::format("attachment; filename=\"lightship-support-{}.tar.gz\"", time));
  response.pieces = [bundle] { return next_piece(bundle); };
  co_return response;
}

}  // namespace

std::vector<fs::path> configuration_files(const fs::path& config_dir) {
  std::vector<fs::path> files;
  const SysTree tree(config_dir);
  for (const auto& name : tree.names("/")) {
    const auto lower = to_lower(name);
    if (!lower.ends_with(".yaml") && !lower.ends_with(".yml")) continue;
    if (lower.find("secret") != std::string::npos) continue;
    std::error_code failed;
    const auto status = fs::status(config_dir / name, failed);
    if (!failed && fs::is_regular_file(status) && files.size() < kMostConfigFiles)
      files.push_back(config_dir / name);
  }
  return files;
}

std::string listing(const fs::path& folder) {
  std::string text;
  std::size_t count = 0;
  std::error_code failed;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         failed);
  for (const fs::recursive_directory_iterator end; !failed && entry != end;
       entry.increment(failed)) {
    struct stat told{};
    if (::lstat(entry->path().c_str(), &told) != 0) continue;
    if (++count > kMostListed) {
      text += "and more\n";
      break;
    }
    const Time changed(std::chrono::seconds(told.st_mtime));
    text += fmt::format("{:>12}  {:04o}  {}  {}{}\n", told.st_size, told.st_mode & 07777,
                        to_rfc3339(changed), entry->path().lexically_relative(folder).string(),
                        S_ISDIR(told.st_mode) ? "/" : "");
  }
  return text;
}

void add_bundle(Router& router, BundleDesk& desk) {
  router.add({"GET", "/api/diag/bundle", Role::admin,
              [&router, &desk](const Call& call) { return answer(router, desk, call); }});
}

}  // namespace lightship::portal
