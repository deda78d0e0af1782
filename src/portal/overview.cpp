// Weighs what is not well, and puts the worst first.
#include "portal/overview.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace lightship::portal {
namespace {

using State = Overview::State;

// So many devices are named; of more only the number is told.
constexpr std::size_t kNamed = 3;

struct Reason {
  int weight;  // 2: alarm, 1: warning
  std::string text;
};

std::string named(const std::vector<std::string>& names, const char* what) {
  if (names.size() > kNamed) return fmt::format("{} {}", counted(names.size(), "device"), what);
  return fmt::format("{} {}: {}", counted(names.size(), "device"), what, join(names, ", "));
}

void weigh_devices(const View& view, std::vector<Reason>& reasons) {
  std::vector<std::string> offline, failing, slow;
  for (const auto& device : view.devices) {
    auto* list = device.state == DeviceView::State::offline   ? &offline
                 : device.state == DeviceView::State::failing ? &failing
                 : device.state == DeviceView::State::slow    ? &slow
                                                              : nullptr;
    if (list != nullptr) list->push_back(device.label);
  }
  const bool all = !view.devices.empty() && offline.size() == view.devices.size();
  if (!offline.empty())
    reasons.push_back(
        {all ? 2 : 1, named(offline, offline.size() == 1 ? "is silent" : "are silent")});
  if (!failing.empty())
    reasons.push_back(
        {1, named(failing, failing.size() == 1 ? "answers with errors" : "answer with errors")});
  if (!slow.empty()) reasons.push_back({1, named(slow, slow.size() == 1 ? "is slow" : "are slow")});
}

// What a line says of its devices is said already.
void weigh_services(const View& view, std::vector<Reason>& reasons) {
  for (const auto& service : view.services) {
    const bool stopped = service.life == "pausing" || service.life == "stopped";
    if (service.is_source && !stopped) continue;
    if (service.state != ServiceView::State::alarm && service.state != ServiceView::State::warning)
      continue;
    auto text = fmt::format("{}: {}", service.title, to_lower(service.state_text));
    if (!service.error.empty()) text += fmt::format(" ({})", service.error);
    reasons.push_back({service.state == ServiceView::State::alarm ? 2 : 1, std::move(text)});
  }
}

std::string title_of_type(const std::string& type) {
  return type == "modbus" ? "Modbus" : type == "iec61850" ? "IEC 61850" : type;
}

void add_cells(const View& view, Overview& overview) {
  for (const auto& service : view.services) {
    if (!service.is_source) continue;
    auto cell = std::ranges::find(overview.sources, service.type, &Overview::Cell::type);
    if (cell == overview.sources.end()) {
      overview.sources.push_back(
          {service.type, title_of_type(service.type), 0, 0, State::good, {}, "/devices"});
      cell = overview.sources.end() - 1;
    }
    std::size_t offline = 0, starting = 0;
    for (const auto& device : view.devices) {
      if (device.service != service.name) continue;
      ++cell->all;
      if (device.state == DeviceView::State::ok) ++cell->good;
      if (device.state == DeviceView::State::offline) ++offline;
      if (device.state == DeviceView::State::starting) ++starting;
    }
    if (offline > 0)
      cell->note += fmt::format("{}{} silent", cell->note.empty() ? "" : ", ", offline);
    if (starting > 0 && cell->note.empty()) cell->note = "starting";
  }
  for (auto& cell : overview.sources) {
    if (cell.all == 0)
      cell.state = State::stale;
    else if (cell.good == 0 && cell.note != "starting")
      cell.state = State::alarm;
    else if (cell.good < cell.all)
      cell.state = State::warning;
    if (cell.note.empty())
      cell.note = cell.all == 0           ? "no devices"
                  : cell.good == cell.all ? "all answer"
                                          : "not all well";
  }
}

}  // namespace

std::string_view to_string(Overview::State state) {
  constexpr std::string_view kWords[] = {"good", "warning", "alarm", "stale"};
  return kWords[static_cast<std::size_t>(state)];
}

Overview overview_of(const View& view) {
  Overview overview;
  std::vector<Reason> reasons;
  if (!view.late.empty()) reasons.push_back({2, "No progress: " + join(view.late, ", ")});
  weigh_services(view, reasons);
  weigh_devices(view, reasons);
  if (!reasons.empty()) overview.state = State::warning;
  for (const int weight : {2, 1}) {
    for (auto& reason : reasons) {
      if (reason.weight != weight) continue;
      if (weight == 2) overview.state = State::alarm;
      overview.reasons.push_back(std::move(reason.text));
    }
  }
  if (overview.reasons.empty())
    overview.headline = view.devices.empty() ? "Nothing to do yet" : "Operating normally";
  else if (overview.reasons.size() == 1)
    overview.headline = "One thing needs attention";
  else
    overview.headline = fmt::format("{} things need attention", overview.reasons.size());
  add_cells(view, overview);
  return overview;
}

}  // namespace lightship::portal
