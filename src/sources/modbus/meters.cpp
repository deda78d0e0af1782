// Looks meters up.
#include "sources/modbus/meters.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "config/document.h"
#include "config/vault.h"
#include "sources/modbus/meter_check.h"
#include "sources/modbus/meter_files.h"

namespace lightship::poller {
namespace {

std::vector<std::string> names_of(const MeterConfig& meter) {
  std::vector<std::string> names{meter.id};
  std::ranges::copy(meter.also, std::back_inserter(names));
  return names;
}

// Whether something is wrong with the meter's keys: then its tests would only say so again.
bool is_broken(const MeterConfig& meter, const config::Mistakes& mistakes) {
  const auto item = meter.at.path.substr(0, meter.at.path.rfind('.') + 1);  // "meters[2]."
  return std::ranges::any_of(mistakes.sorted(), [&](const config::Mistake& mistake) {
    return mistake.severity == config::Severity::error && mistake.file == meter.at.file &&
           mistake.path.starts_with(item);
  });
}

// Of "pm53xx" with "pm5350" in mind: an x stands for any digit.
std::string with_digits_of(std::string_view asked, std::string_view model) {
  std::string filled(model);
  if (asked.size() != model.size()) return filled;
  for (std::size_t at = 0; at < filled.size(); ++at) {
    if (filled[at] == 'x' && asked[at] >= '0' && asked[at] <= '9') filled[at] = asked[at];
  }
  return filled;
}

// How much two ids differ, between 0 and 1: by edits, less when one begins or ends with the other's
// model, for people write em6400 and sdm630 without the maker.
double difference(std::string_view asked, std::string_view known) {
  const std::string a = to_lower(asked), b = to_lower(known);
  const auto longest = static_cast<double>(std::max({a.size(), b.size(), std::size_t{1}}));
  const double edits = static_cast<double>(edit_distance(a, b)) / longest;
  const auto model = std::string_view(b).substr(std::min(b.find('_') + 1, b.size()));
  const auto own = std::string_view(a).substr(a.find('_') == a.npos ? 0 : a.find('_') + 1);
  const auto most = static_cast<double>(std::max({own.size(), model.size(), std::size_t{1}}));
  const double by_model =
      static_cast<double>(edit_distance(own, with_digits_of(own, model))) / most;
  return std::min(edits, 0.1 + by_model);
}

}  // namespace

Meters Meters::built_in(config::Mistakes& mistakes) {
  Meters meters;
  const config::Vault nobody;
  for (const auto& file : kMeterFiles) {
    const config::Document document(std::string(file.name), file.text, nobody, mistakes);
    config::Fields fields(document, mistakes);
    std::vector<MeterConfig> found;
    fields.items("meters", found, "meter families").required();
    fields.finish();
    for (auto& meter : found) meters.enter(std::move(meter));
  }
  for (auto& meter : meters.meters_) meters.combine(meter);
  return meters;
}

void Meters::add(std::vector<MeterConfig> site, config::Mistakes& mistakes) {
  std::map<std::string, int> taken;  // names of the site's file, and their lines
  const auto built_in = by_id_;
  for (auto& meter : site) {
    if (meter.id.empty()) continue;  // reported
    for (const auto& name : names_of(meter)) {
      const auto [first, fresh] = taken.emplace(name, meter.at.line);
      if (!fresh) {
        mistakes.error(meter.at, fmt::format("meter '{}' is there twice; the first is at line {}",
                                             name, first->second));
      } else if (built_in.contains(name)) {
        mistakes.note(meter.at, "replaces the built-in meter '" + name + "'");
      }
    }
    if (meter.sunspec) {
      for (const auto& part : meter.sunspec->combine) {
        if (find(part) != nullptr) continue;
        auto& mistake = mistakes.error(
            meter.at,
            fmt::format("meter '{}' combines '{}', which is not in the registry", meter.id, part));
        mistake.found = part;
        mistake.expected = "one of " + join(closest(part), ", ");
        mistake.suggestion = nearest(part, ids()).value_or("");
      }
    }
    combine(meter);
    check_meter(meter, mistakes);
    if (!is_broken(meter, mistakes)) run_meter_tests(meter, mistakes);
    enter(std::move(meter));
  }
}

const MeterConfig* Meters::find(std::string_view id) const {
  const auto known = by_id_.find(id);
  return known == by_id_.end() ? nullptr : &meters_[known->second];
}

std::vector<std::string> Meters::ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, meter] : by_id_) ids.push_back(id);
  return ids;
}

std::vector<std::string> Meters::closest(std::string_view id, std::size_t most) const {
  std::vector<std::pair<double, std::string>> ranked;
  for (const auto& [known, meter] : by_id_) ranked.emplace_back(difference(id, known), known);
  std::ranges::sort(ranked);
  std::vector<std::string> names;
  for (const auto& [how_much, known] : ranked) {
    if (names.size() == most || (how_much > 0.6 && names.size() >= 3)) break;
    names.push_back(known);
  }
  return names;
}

std::vector<const MeterConfig*> Meters::parts_of(const MeterConfig& meter) const {
  if (!meter.sunspec || meter.sunspec->combine.empty()) return {&meter};
  std::vector<const MeterConfig*> parts;
  for (const auto& id : meter.sunspec->combine) {
    const auto* part = find(id);
    if (part != nullptr && part->sunspec && part->sunspec->combine.empty()) parts.push_back(part);
  }
  return parts;
}

void Meters::enter(MeterConfig meter) {
  for (const auto& name : names_of(meter)) by_id_[name] = meters_.size();
  meters_.push_back(std::move(meter));
}

// The registers of a meter that combines others are all of theirs, the first of each name.
void Meters::combine(MeterConfig& meter) const {
  if (!meter.sunspec || meter.sunspec->combine.empty()) return;
  for (const auto* part : parts_of(meter)) {
    for (const auto& entry : part->registers) {
      const auto known =
          std::ranges::find(meter.registers, entry.first, &Registers::value_type::first);
      if (known == meter.registers.end()) meter.registers.push_back(entry);
    }
  }
}

std::string shown_model(const MeterConfig& meter, std::string_view id) {
  constexpr std::size_t kLongest = 40;
  constexpr std::string_view kBetween = " /,()";
  const auto bare = [](std::string_view text) {
    auto out = to_lower(text);
    std::erase_if(out, [](char c) { return !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'); });
    return out;
  };
  const auto named = bare(id);
  std::string_view best, rest = meter.model;
  while (!rest.empty()) {
    const auto word = rest.substr(0, rest.find_first_of(kBetween));
    const auto letters = bare(word);
    if (letters.size() > 2 && letters.size() > bare(best).size() && named.contains(letters))
      best = word;
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  const auto maker = meter.manufacturer.substr(0, meter.manufacturer.find(" ("));
  if (!best.empty()) return fmt::format("{} {}", maker, best);
  const auto whole = fmt::format("{} {}", maker, meter.model.substr(0, meter.model.find(" (")));
  return whole.size() > kLongest ? maker : whole;
}

}  // namespace lightship::poller
