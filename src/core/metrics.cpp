// Metrics as Prometheus text.
#include "core/metrics.h"

#include <cmath>

#include <fmt/format.h>

namespace lightship {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string rendered(const Labels& labels) {
  if (labels.empty()) return "";
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ',';
    out += fmt::format("{}=\"{}\"", name, escaped(value));
  }
  return out + "}";
}

}  // namespace

Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
  auto& family = families_[std::string(name)];
  family.help = help;
  family.type = "counter";
  auto& series = family.counters[rendered(labels)];
  if (series == nullptr) series = &counters_.emplace_back();
  return *series;
}

void Metrics::gauge(std::string_view name, std::string_view help, Labels labels,
                    std::function<double()> read) {
  auto& family = families_[std::string(name)];
  family.help = help;
  family.type = "gauge";
  family.gauges[rendered(labels)] = std::move(read);
}

void Metrics::remove_gauges(const std::pair<std::string, std::string>& label) {
  const std::string text = fmt::format("{}=\"{}\"", label.first, escaped(label.second));
  for (auto& [name, family] : families_) {
    std::erase_if(family.gauges,
                  [&](const auto& series) { return series.first.find(text) != std::string::npos; });
  }
}

std::uint64_t Metrics::total(std::string_view counter) const {
  std::uint64_t sum = 0;
  const auto family = families_.find(counter);
  if (family == families_.end()) return sum;
  for (const auto& [labels, one] : family->second.counters) sum += one->value;
  return sum;
}

std::vector<double> Metrics::values(std::string_view gauge) const {
  std::vector<double> read;
  const auto family = families_.find(gauge);
  if (family == families_.end()) return read;
  for (const auto& [labels, one] : family->second.gauges) read.push_back(one());
  return read;
}

std::string Metrics::prometheus() const {
  std::string out;
  for (const auto& [name, family] : families_) {
    if (family.counters.empty() && family.gauges.empty()) continue;
    out += fmt::format("# HELP lightship_{} {}\n# TYPE lightship_{} {}\n", name, family.help, name,
                       family.type);
    for (const auto& [labels, counter] : family.counters) {
      out += fmt::format("lightship_{}{} {}\n", name, labels, counter->value);
    }
    for (const auto& [labels, read] : family.gauges) {
      const double value = read();
      if (std::isnan(value))
        out += fmt::format("lightship_{}{} NaN\n", name, labels);
      else
        out += fmt::format("lightship_{}{} {}\n", name, labels, value);
    }
  }
  return out;
}

}  // namespace lightship
