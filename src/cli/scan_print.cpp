// Prints a scan.
#include "cli/scan_print.h"

#include <unistd.h>

#include "base/json_writer.h"
#include "base/text.h"

namespace lightship::cli {
namespace {

constexpr const char* kObjectNames[] = {"vendor",       "product_code", "revision",   "url",
                                        "product_name", "model_name",   "application"};

std::string answer_text(const poller::UnitFound& found) {
  return found.only_damaged() ? "-" : for_people(found.answer_time);
}

std::string what_it_is(const ScannedUnit& unit) {
  if (unit.found.only_damaged())
    return fmt::format("all of {} damaged: two devices with this unit id, or a bad line",
                       counted(unit.found.tries, "answer"));
  auto text = unit.candidates.empty() ? unit.says() : unit.candidates.front().name;
  if (text.empty()) text = fmt::format("does not say; answered: {}", unit.found.answered);
  if (unit.found.every_unit) text += " (answers to every unit id)";
  if (unit.found.damaged > 0)
    text += fmt::format(" ({} of {} damaged: perhaps two devices with this unit id)",
                        unit.found.damaged, counted(unit.found.tries, "answer"));
  return text;
}

std::string yaml_text(std::string_view text) {
  std::string quoted;
  append_json_string(quoted, text);  // a JSON text is a YAML one
  return "\"" + quoted + "\"";
}

}  // namespace

ScanProgress::ScanProgress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void ScanProgress::clear() {
  if (live_) fmt::print(stderr, "\r\033[K");
  live_ = false;
}

void ScanProgress::phase(std::string_view text) {
  clear();
  fmt::print(stderr, "{}\n", text);
  last_told_ = 0;
}

void ScanProgress::note(std::string_view text) {
  clear();
  fmt::print(stderr, "  {}\n", text);
}

void ScanProgress::step(std::size_t done, std::size_t all, std::uint8_t unit, std::size_t found,
                        Duration left) {
  const auto text = fmt::format("unit {} ({} of {}), {} found, about {} left", unit, done, all,
                                found, for_people(left));
  if (terminal_) {
    clear();
    fmt::print(stderr, "\r  {}", text);
    std::fflush(stderr);
    live_ = true;
    return;
  }
  if (done * 10 / all == last_told_) return;
  last_told_ = done * 10 / all;
  fmt::print(stderr, "  {}\n", text);
}

void print_scan_head() {
  fmt::print("{:>4}  {:>9}  {:<28}  {:<9}  {}\n", "unit", "answers in", "meter_model", "certainty",
             "what it says");
  std::fflush(stdout);
}

void print_scan_row(const ScannedUnit& unit) {
  const auto* best = unit.candidates.empty() ? nullptr : &unit.candidates.front();
  const auto model = best == nullptr || best->meter_model.empty() ? "-" : best->meter_model;
  fmt::print("{:>4}  {:>10}  {:<28}  {:<9}  {}\n", unit.found.unit, answer_text(unit.found), model,
             best == nullptr ? "-" : best->certainty, what_it_is(unit));
  for (const auto& candidate : unit.candidates) {
    const auto name = candidate.meter_model.empty() ? candidate.name : candidate.meter_model;
    fmt::print("      {} {}, because {}\n", candidate.certainty, name, candidate.evidence);
  }
  std::fflush(stdout);
}

void print_scan_end(const ScanResult& result) {
  fmt::print("{} in {}{}\n", counted(result.units.size(), "unit"), for_people(result.took),
             result.settings ? ", line " + link::describe(*result.settings) : "");
}

void print_scan_yaml(const ScanResult& result) {
  const auto& line = *result.line;
  static constexpr const char* kTypes[] = {"serial", "tcp", "rtu_over_tcp", "ascii", "udp"};
  fmt::print("\n# for slave_config.yaml; names, type and intervals are yours to choose\n");
  fmt::print("connections:\n  - id: line-1\n    connection_type: {}\n",
             kTypes[static_cast<int>(line.type)]);
  if (result.settings) {
    fmt::print("    port: {}\n    baud_rate: {}\n    parity: {}\n    stop_bits: {}\n", line.port,
               result.settings->baud, static_cast<char>(result.settings->parity),
               result.settings->stop_bits);
    if (result.settings->data_bits != 8)
      fmt::print("    data_bits: {}\n", result.settings->data_bits);
  } else {
    fmt::print("    host: {}\n    port: {}\n", line.host, line.tcp_port);
  }
  fmt::print("    clients:\n");
  for (const auto& unit : result.units) {
    if (unit.found.only_damaged()) continue;
    const auto* best = unit.candidates.empty() ? nullptr : &unit.candidates.front();
    fmt::print("      - id: unit-{}\n        unit_id: {}\n", unit.found.unit, unit.found.unit);
    const auto says = unit.says();
    if (!says.empty()) fmt::print("        label: {}\n", yaml_text(says));
    if (best != nullptr && !best->meter_model.empty())
      fmt::print("        meter_model: {}{}\n", best->meter_model,
                 best->certainty == "certain"
                     ? ""
                     : fmt::format("  # {}: compare a value with the display", best->certainty));
    else
      fmt::print("        # meter_model: not known; or list its registers here\n");
  }
  std::fflush(stdout);
}

void print_scan_json(const ScanResult& result) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("url", result.url).key("settings");
  if (result.settings) {
    json.begin_object().member("baud_rate", result.settings->baud);
    json.member("parity", std::string(1, static_cast<char>(result.settings->parity)));
    json.member("data_bits", result.settings->data_bits);
    json.member("stop_bits", static_cast<int>(result.settings->stop_bits)).end_object();
  } else {
    json.null();
  }
  json.key("units").begin_array();
  for (const auto& unit : result.units) {
    json.begin_object().member("unit", unit.found.unit).key("answer_ms");
    if (unit.found.only_damaged())
      json.null();
    else
      json.value(Real{to_ms(unit.found.answer_time), 3});
    json.member("answered", unit.found.answered).member("every_unit", unit.found.every_unit);
    json.member("tries", unit.found.tries).member("damaged", unit.found.damaged);
    json.member("collision", unit.found.damaged > 0);
    json.key("identity").begin_object();
    for (const auto& object : unit.objects) {
      const auto known = object.id < std::size(kObjectNames);
      json.member(
          known ? std::string(kObjectNames[object.id]) : fmt::format("object_{}", object.id),
          object.text);
    }
    if (!unit.server_id.empty()) json.member("server_id", unit.server_id);
    json.end_object().key("candidates").begin_array();
    for (const auto& candidate : unit.candidates) {
      json.begin_object().key("meter_model");
      if (candidate.meter_model.empty())
        json.null();
      else
        json.value(candidate.meter_model);
      json.member("name", candidate.name).member("certainty", candidate.certainty);
      json.member("evidence", candidate.evidence).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().key("duration_ms").value(Real{to_ms(result.took), 1}).end_object();
  fmt::print("{}\n", text);
}

}  // namespace lightship::cli
