// Prints what is wrong, what is worth knowing and what will be polled.
#include "cli/check.h"

#include <cstdio>

#include "app/app.h"
#include "app/load.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace lightship::cli {
namespace {

void print_json(const app::Loaded& loaded) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("ok", loaded.ok());
  json.key("mistakes");
  loaded.mistakes.write_json(json);
  json.key("plan").begin_array();
  for (const auto& line : loaded.plans) {
    json.begin_object();
    json.member("connection", line.connection).member("requests", line.requests);
    json.key("cycle_ms").value(Real{line.cycle_ms, 1});
    json.key("load_percent").value(Real{line.load_percent, 1});
    json.end_object();
  }
  json.end_array().end_object();
  fmt::print("{}\n", text);
}

std::string interval_text(Duration interval) {
  if (interval.count() % 1'000'000 == 0) return fmt::format("{} s", interval.count() / 1'000'000);
  return fmt::format("{} ms", to_ms(interval));
}

void print_plan(const app::Loaded& loaded) {
  if (loaded.plans.empty()) return;
  fmt::print("plan:\n");
  for (const auto& line : loaded.plans) {
    fmt::print("  {} ({}): {}, {:.0f} ms, {:.0f} % of the line at {}\n", line.connection, line.line,
               counted(line.requests, "request"), line.cycle_ms, line.load_percent,
               interval_text(line.fastest));
    for (const auto& device : line.devices) {
      fmt::print("    {}: {} in {}, {:.0f} ms, every {}\n", device.client,
                 counted(device.points, "point"), counted(device.requests, "request"),
                 device.cycle_ms, interval_text(device.interval));
      for (const auto& block : device.blocks) fmt::print("      {}\n", block);
    }
    fmt::print("    (answer time of a device taken as {}; the daemon measures it)\n",
               for_people(line.assumed_answer));
  }
}

}  // namespace

int check(const std::filesystem::path& config_dir, bool json) {
  std::error_code failed;
  if (!std::filesystem::is_directory(config_dir, failed)) {
    const auto text =
        fmt::format("the configuration directory {} does not exist", config_dir.string());
    if (json) {
      std::string out;
      JsonWriter writer(out);
      writer.begin_object().member("ok", false).key("mistakes").begin_array().begin_object();
      writer.member("severity", "error")
          .member("file", config_dir.string())
          .member("line", 1)
          .member("column", 1);
      writer.member("path", "")
          .member("message", text)
          .member("found", "")
          .member("expected", "a directory");
      writer.member("suggestion", "")
          .end_object()
          .end_array()
          .key("plan")
          .begin_array()
          .end_array()
          .end_object();
      fmt::print("{}\n", out);
    } else {
      fmt::print(stderr, "lightship check: {}\n", text);
    }
    return app::kConfig;
  }
  const auto loaded = app::load_site(config_dir);
  if (json) {
    print_json(loaded);
    return loaded.ok() ? app::kFine : app::kConfig;
  }
  for (const auto severity :
       {config::Severity::error, config::Severity::warning, config::Severity::note}) {
    fmt::print("{}", loaded.mistakes.text(severity));
  }
  if (!loaded.ok()) return app::kConfig;
  print_plan(loaded);
  fmt::print("{} is fine: {}, {}\n", config_dir.string(), counted(loaded.plans.size(), "line"),
             counted(loaded.site.devices.size(), "device"));
  return app::kFine;
}

}  // namespace lightship::cli
