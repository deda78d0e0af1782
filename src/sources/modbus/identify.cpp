// Asks what it is, and ranks what came.
#include "sources/modbus/identify.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/hex.h"
#include "base/text.h"
#include "sources/modbus/setup.h"

namespace lightship::poller {
namespace {

using Words = std::vector<std::uint16_t>;

// Three questions in a row without any answer: nobody is there, and the line belongs to others.
constexpr int kSilent = 3;
// A phase voltage as it is anywhere in the world's low-voltage grids, within 10 %.
constexpr double kGrids[] = {110, 230};

ByteVector bytes_of(const Words& words) {
  ByteVector bytes;
  for (const auto word : words) {
    bytes.push_back(static_cast<std::uint8_t>(word >> 8));
    bytes.push_back(static_cast<std::uint8_t>(word));
  }
  return bytes;
}

// Letters and digits only, in lower case: "PM-5300 " and "pm5300" are the same.
std::string plain(std::string_view text) {
  std::string left;
  for (const char c : to_lower(text)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) left += c;
  }
  return left;
}

std::string text_of(const Words& words) {
  modbus::PointSpec spec;
  spec.type = modbus::DataType::string;
  spec.count = static_cast<std::uint16_t>(words.size());
  return to_text(modbus::decode(spec, words).value);
}

std::string name_of(const MeterConfig& meter) { return meter.manufacturer + " " + meter.model; }

// What was read, and what it cost. A question is asked once, whoever has it.
class Questions {
 public:
  Questions(Asker ask, std::size_t most, bool is_there)
      : ask_(std::move(ask)), most_(most), answered_(is_there) {}

  // Nothing where the device refuses it, is silent to it, or enough was asked.
  Task<std::optional<Words>> read(Space space, std::uint16_t first, std::uint16_t count) {
    const auto key = std::tuple(space, first, count);
    if (const auto known = answers_.find(key); known != answers_.end()) co_return known->second;
    if (over()) co_return std::nullopt;
    ++requests_;
    auto answer = co_await ask_.registers(space, first, count);
    heard(answer ? nullptr : &answer.error());
    std::optional<Words> words;
    if (answer && answer->size() == count) words = std::move(*answer);
    answers_.emplace(key, words);
    co_return words;
  }

  Task<std::optional<modbus::Identification>> identity() {
    if (!ask_.identity || over()) co_return std::nullopt;
    ++requests_;
    auto answer = co_await ask_.identity();
    heard(answer ? nullptr : &answer.error());
    if (!answer) co_return std::nullopt;
    co_return std::move(*answer);
  }

  bool over() const { return failure_.has_value() || requests_ >= most_; }
  const std::optional<Error>& failure() const { return failure_; }
  std::size_t requests() const { return requests_; }
  void count(std::size_t asked) { requests_ += asked; }

  void heard(const Error* error) {
    if (error == nullptr || error->code == Errc::refused || error->code == Errc::malformed) {
      answered_ = true;
      return;
    }
    if (error->code == Errc::timeout || error->code == Errc::crc) {
      if (!answered_ && ++silent_ >= kSilent) failure_ = *error;
      return;
    }
    failure_ = *error;  // the line itself
  }

  AskRegisters registers() { return ask_.registers; }

 private:
  Asker ask_;
  std::size_t most_, requests_ = 0;
  int silent_ = 0;
  bool answered_;
  std::optional<Error> failure_;
  std::map<std::tuple<Space, std::uint16_t, std::uint16_t>, std::optional<Words>> answers_;
};

// The meters that a name of the registry leads to; those that a site has replaced are none.
std::vector<const MeterConfig*> meters_in_use(const Meters& meters) {
  std::vector<const MeterConfig*> used;
  std::set<const MeterConfig*> seen;
  for (const auto& id : meters.ids()) {
    const auto* meter = meters.find(id);
    if (seen.insert(meter).second) used.push_back(meter);
  }
  return used;
}

void add(Identified& found, Candidate candidate) {
  const auto known = std::ranges::find_if(found.candidates, [&](const Candidate& c) {
    return c.meter_model == candidate.meter_model && c.name == candidate.name;
  });
  if (known == found.candidates.end()) {
    found.candidates.push_back(std::move(candidate));
    return;
  }
  known->evidence += "; " + candidate.evidence;
  known->certainty = std::max(known->certainty, candidate.certainty);
  known->score = std::max(known->score, candidate.score);
}

// --- the device says so ------------------------------------------------------------------------

Task<void> ask_sunspec(Questions& ask, const Meters& meters, Identified& found) {
  SunspecWalk walk(kSunspecBases);
  while (const auto wanted = walk.next()) {
    if (ask.over()) co_return;
    ask.count(1);
    auto asking = ask.registers();
    const auto answer = co_await asking(Space::holding, wanted->first, wanted->count);
    ask.heard(answer ? nullptr : &answer.error());
    // A device may be silent to what it does not know: another base may still be there.
    if (walk.looking() && !answer)
      walk.take(std::unexpected(Error{Errc::refused, answer.error().text, 0}));
    else
      walk.take(answer);
  }
  const auto chain = walk.result();
  if (!chain) co_return;
  std::string says;
  if (chain->models.front().id == 1 && chain->models.front().length >= 64) {
    const auto at = static_cast<std::uint16_t>(chain->models.front().at + 2);
    const auto maker = co_await ask.read(Space::holding, at, 16);
    const auto model = co_await ask.read(Space::holding, static_cast<std::uint16_t>(at + 16), 16);
    if (maker) says = text_of(*maker);
    if (model) says += (says.empty() ? "" : " ") + text_of(*model);
    found.says = says;
  }
  const auto evidence = fmt::format("\"SunS\" at {} and the SunSpec models {}{}", chain->base,
                                    chain->ids(), says.empty() ? "" : " of " + says);
  bool any = false;
  double score = 1;  // the first in the chain is what the device is first of all
  for (const auto& model : chain->models) {
    for (const auto* meter : meters_in_use(meters)) {
      if (!meter->sunspec || model.id == 1) continue;
      if (std::ranges::find(meter->sunspec->models, model.id) == meter->sunspec->models.end())
        continue;
      const auto own = fmt::format("sunspec_{}", model.id);
      const bool named = meters.find(own) == meter;
      add(found, {named ? own : meter->id, says.empty() ? name_of(*meter) : says,
                  Certainty::certain, evidence, score});
      score /= 2;
      any = true;
    }
  }
  if (!any) {
    add(found, {meters.find("sunspec") != nullptr ? "sunspec" : "",
                says.empty() ? "a SunSpec device" : says, Certainty::likely, evidence, 0});
  }
}

Task<void> ask_identity(Questions& ask, const Meters& meters, Identified& found) {
  const auto identity = co_await ask.identity();
  if (!identity || identity->objects.empty()) co_return;
  std::vector<std::string> texts;
  for (const auto& object : identity->objects) {
    if (!object.text.empty()) texts.push_back(object.text);
  }
  const auto says = join(texts, " ");
  if (found.says.empty()) found.says = says;
  const auto evidence = "device identification (43/14): " + says;
  const auto heard = plain(says);
  bool any = false;
  for (const auto& id : meters.ids()) {
    const auto* meter = meters.find(id);
    if (meter->sunspec) continue;
    // The model of the id in what the device says: schneider_pm53xx in "PM5340".
    auto model = plain(id.substr(id.find('_') + 1));
    while (model.size() > 3 && model.ends_with('x')) model.pop_back();
    const bool has_number = std::ranges::any_of(model, [](char c) { return c >= '0' && c <= '9'; });
    if (model.size() < 3 || !has_number || heard.find(model) == heard.npos) continue;
    const auto maker =
        plain(std::string_view(meter->manufacturer).substr(0, meter->manufacturer.find(' ')));
    const bool named = heard.find(maker) != heard.npos;
    if (!named && model.size() < 5) continue;  // "a43" stands in many a text
    // Of em6400 and em6400ng in "EM6400NG" the longer one fits better.
    const double score = 0.5 + 0.02 * static_cast<double>(model.size()) + (named ? 0.2 : 0);
    add(found, {id, name_of(*meter), Certainty::likely, evidence, std::min(1.0, score)});
    any = true;
  }
  if (!any) add(found, {"", says, Certainty::likely, evidence, 0});
}

std::optional<std::string> fits(const FingerprintConfig& print, const Words& words) {
  if (!print.range.empty()) {
    if (words[0] < print.range[0] || words[0] > print.range[1]) return std::nullopt;
    return fmt::format("{}", words[0]);
  }
  if (!print.text.empty()) {
    const auto text = text_of(words);
    for (const auto& word : print.text) {
      if (plain(text).find(plain(word)) != std::string::npos) return "\"" + text + "\"";
    }
    return std::nullopt;
  }
  const auto bytes = bytes_of(words);
  for (const auto& mark : print.equals) {
    const auto wanted = from_hex(mark);
    if (wanted && wanted->size() <= bytes.size() &&
        std::equal(wanted->begin(), wanted->end(), bytes.begin()))
      return to_hex(*wanted);
  }
  return std::nullopt;
}

Task<void> ask_fingerprints(Questions& ask, const Meters& meters, Identified& found) {
  for (const auto* meter : meters_in_use(meters)) {
    for (const auto& print : meter->identified_by) {
      const auto words =
          co_await ask.read(static_cast<Space>(print.function), print.address, print.count);
      if (!words) continue;
      const auto seen = fits(print, *words);
      if (!seen) continue;
      add(found, {print.id.empty() ? meter->id : print.id, name_of(*meter),
                  print.certainty == "certain" ? Certainty::certain : Certainty::likely,
                  fmt::format("{} {}: {}", print.function == 3 ? "holding" : "input", print.address,
                              *seen),
                  1});
    }
  }
}

// --- its numbers would make sense --------------------------------------------------------------

const RegisterConfig* point(const MeterConfig& meter, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    const auto found = std::ranges::find(meter.registers, name, &Registers::value_type::first);
    if (found != meter.registers.end()) return &found->second;
  }
  return nullptr;
}

bool is_phase_voltage(double volts) {
  return std::ranges::any_of(kGrids,
                             [&](double grid) { return std::fabs(volts - grid) <= grid / 10; });
}
bool is_frequency(double hertz) { return hertz >= 45 && hertz <= 65; }

Task<std::optional<double>> number(Questions& ask, const RegisterConfig& c) {
  if (c.function < 3 || !c.scale_register.empty()) co_return std::nullopt;
  const auto words = co_await ask.read(static_cast<Space>(c.function), c.address, wire_count(c));
  if (!words) co_return std::nullopt;
  const auto decoded = modbus::decode(point_spec(c), *words);
  if (decoded.why != modbus::Why::none) co_return std::nullopt;
  co_return as_double(decoded.value);
}

// A voltage first; where it is one, the frequency and the second phase tell apart the maps that
// have their first voltage in the same place.
Task<void> try_map(Questions& ask, const MeterConfig& meter, Identified& found) {
  const auto* voltage = point(meter, {"voltage_l1", "voltage", "voltage_ln_avg"});
  if (voltage == nullptr || meter.sunspec) co_return;
  const auto volts = co_await number(ask, *voltage);
  if (!volts || !is_phase_voltage(*volts)) co_return;
  double asked = 1, good = 1;
  auto evidence = fmt::format("{:.1f} V at {} {}", *volts,
                              voltage->function == 3 ? "holding" : "input", voltage->address);
  if (const auto* frequency = point(meter, {"frequency"})) {
    const auto hertz = co_await number(ask, *frequency);
    ++asked;
    if (hertz && is_frequency(*hertz)) {
      ++good;
      evidence += fmt::format(", {:.2f} Hz at {}", *hertz, frequency->address);
    }
  }
  if (const auto* second = point(meter, {"voltage_l2"})) {
    const auto volts2 = co_await number(ask, *second);
    ++asked;
    if (volts2 && is_phase_voltage(*volts2)) {
      ++good;
      evidence += fmt::format(", {:.1f} V at {}", *volts2, second->address);
    }
  }
  // All of three says more than all of two.
  const double score = good / asked * (1 - 1 / (2 + good));
  add(found, {meter.id, name_of(meter), Certainty::plausible, evidence, score});
}

}  // namespace

std::string_view to_string(Certainty certainty) {
  switch (certainty) {
    case Certainty::plausible:
      return "plausible";
    case Certainty::likely:
      return "likely";
    case Certainty::certain:
      return "certain";
  }
  return "unknown";
}

Task<Result<Identified>> identify(Asker asker, const Meters& meters, bool is_there,
                                  std::size_t most_requests) {
  Identified found;
  Questions ask(std::move(asker), most_requests, is_there);
  co_await ask_identity(ask, meters, found);
  co_await ask_sunspec(ask, meters, found);
  const auto is_certain = [](const Candidate& c) { return c.certainty == Certainty::certain; };
  if (std::ranges::none_of(found.candidates, is_certain))
    co_await ask_fingerprints(ask, meters, found);
  if (std::ranges::none_of(found.candidates, is_certain)) {
    for (const auto* meter : meters_in_use(meters)) {
      if (ask.over()) break;
      co_await try_map(ask, *meter, found);
    }
  }
  found.requests = ask.requests();
  if (found.candidates.empty() && ask.failure()) co_return fail(*ask.failure());
  std::ranges::sort(found.candidates, [](const Candidate& a, const Candidate& b) {
    return std::tuple(b.certainty, b.score, a.meter_model) <
           std::tuple(a.certainty, a.score, b.meter_model);
  });
  co_return found;
}

}  // namespace lightship::poller
