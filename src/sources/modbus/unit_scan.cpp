// Asks one unit after the other.
#include "sources/modbus/unit_scan.h"

#include <algorithm>
#include <bitset>
#include <charconv>

#include "base/text.h"

namespace lightship::poller {
namespace {

using modbus::Function;

// Units that no device should have: who answers to both looks at no unit id.
constexpr std::uint8_t kNobody[] = {251, 254};
constexpr unsigned kTriesWhenDamaged = 4;
// A device that needs two seconds answers when ten others have been asked meanwhile.
constexpr std::size_t kHowLate = 10;

// Each unit is asked twice, by both functions that read registers: some devices are silent to one.
// The second address is chosen for devices that listen to what goes on beside them (libmodbus does)
// and take the second request for the answer to the first: read as an answer it has the count 3 and
// so the right length, and they do not lose their place. The next request finds them ready again.
constexpr modbus::Read kLooks[] = {{Function::read_holding_registers, 0, 1},
                                   {Function::read_input_registers, 0x0300, 1}};

bool nobody_there(const Error& error) {
  return error.code == Errc::refused &&
         (error.detail == modbus::code(modbus::Exception::path_unavailable) ||
          error.detail == modbus::code(modbus::Exception::target_silent));
}

class Scanner {
 public:
  Scanner(Talker& line, const ScanPlan& plan, const ScanNews& news)
      : line_(line), plan_(plan), news_(news), patience_(plan.patience) {}

  Task<Result<std::vector<UnitFound>>> run(bool first) {
    for (std::size_t at = 0; at < plan_.units.size(); ++at) {
      if (news_.progress)
        news_.progress(at + 1, plan_.units.size(), plan_.units[at],
                       left(plan_.units.size() - at) + (first ? Duration{} : left_again()));
      if (auto asked = co_await look_twice(plan_.units[at]); !asked) co_return fail(asked.error());
      if (late_) {
        // Somebody asked before answers only now: those are asked again, with more patience.
        patience_ = std::max(patience_, plan_.most);
        for (auto again = at - std::min(at, kHowLate); again < at; ++again)
          if (auto asked = co_await look_twice(plan_.units[again]); !asked)
            co_return fail(asked.error());
        if (!answered_) patience_ = plan_.most;
      }
      if (every_unit_ || (first && answered_)) break;
    }
    if (!first && !every_unit_) {
      if (auto asked = co_await ask_again(); !asked) co_return fail(asked.error());
    }
    co_return std::move(found_);
  }

 private:
  // How long so many units take when none of them answers.
  Duration left(std::size_t units) const {
    return static_cast<std::int64_t>(units * std::size(kLooks)) * (patience_ + plan_.wire);
  }

  // Of the second round, when none of those answers that have not yet.
  Duration left_again() const {
    const auto each = static_cast<std::int64_t>(std::size(kLooks)) *
                      (std::max(patience_, plan_.patience) + plan_.wire);
    const auto silent = std::ranges::count_if(plan_.units, [&](auto u) { return !settled_[u]; });
    return each > Duration{} ? std::min<std::int64_t>(silent, plan_.again / each) * each : each;
  }

  // With the patience of now, or of the beginning where that was longer.
  Task<Result<void>> ask_again() {
    patience_ = std::max(patience_, plan_.patience);
    std::vector<std::uint8_t> silent;
    for (const auto unit : plan_.units) {
      if (!settled_[unit] && left(silent.size() + 1) <= plan_.again) silent.push_back(unit);
    }
    if (silent.empty()) co_return Result<void>{};
    if (news_.again) news_.again(silent.size(), left(silent.size()));
    for (std::size_t at = 0; at < silent.size() && !every_unit_; ++at) {
      if (news_.progress)
        news_.progress(at + 1, silent.size(), silent[at], left(silent.size() - at));
      if (auto asked = co_await look_twice(silent[at]); !asked) co_return fail(asked.error());
    }
    co_return Result<void>{};
  }

  Task<Result<void>> look_twice(std::uint8_t unit) {
    late_ = false;
    for (const auto& look : kLooks) {
      if (settled_[unit]) break;
      if (auto asked = co_await probe(unit, look); !asked) co_return fail(asked.error());
      // The answer to the first question came while we waited for that to the second.
      if (own_late_ && !settled_[unit]) {
        patience_ = std::max(patience_, plan_.most);
        if (auto asked = co_await probe(unit, kLooks[0]); !asked) co_return fail(asked.error());
      }
    }
    co_return Result<void>{};
  }

  // Asks until it is clear whether somebody is there.
  Task<Result<void>> probe(std::uint8_t unit, modbus::Read read) {
    UnitFound found;
    found.unit = unit;
    own_late_ = false;
    for (;;) {
      Ask ask;
      ask.unit = unit;
      ask.request = read;
      ask.patience = patience_;
      ask.limit = std::max<Duration>(patience_, std::chrono::seconds(1));
      Tally tally;
      auto answer = co_await line_.ask(std::move(ask), tally);
      ++found.tries;
      late_ |= tally.rejects.unit > 0 || tally.late > 0;
      own_late_ |= tally.rejects.function > 0;
      if (answer || answer.error().code == Errc::refused) {
        learn(tally.answer_time);
        if (!answer && plan_.mbap && nobody_there(answer.error())) {
          settled_[unit] = true;
          co_return Result<void>{};
        }
        found.answer_time = tally.answer_time;
        found.answered =
            answer ? modbus::describe(read) : modbus::exception_text(answer.error().detail);
        co_return co_await take(std::move(found));
      }
      switch (answer.error().code) {
        case Errc::crc:
        case Errc::malformed:
          ++found.damaged;
          break;
        case Errc::timeout:
          if (!was_disturbed(tally)) {
            if (found.damaged == 0) co_return Result<void>{};
          } else {
            ++found.damaged;
          }
          break;
        default:
          co_return fail(answer.error());
      }
      if (found.tries < kTriesWhenDamaged) continue;
      // Half of the answers damaged and half missing is still somebody.
      if (found.damaged * 2 < found.tries) co_return Result<void>{};
      found.damaged = found.tries;
      co_return co_await take(std::move(found));
    }
  }

  // Bytes came that are no frame of anybody: two who speak at once.
  static bool was_disturbed(const Tally& tally) {
    const auto& heard = tally.rejects;
    return tally.bytes >= 3 && heard.unit == 0 && heard.echo == 0 &&
           (heard.noise_bytes >= 3 || heard.crc > 0 || heard.malformed > 0);
  }

  Task<Result<void>> take(UnitFound found) {
    const auto unit = found.unit;
    settled_[unit] = true;
    answered_ |= !found.only_damaged();
    if (plan_.mbap && found_.empty() && plan_.units.size() > 1 && !found.only_damaged()) {
      auto every = co_await answers_nobody(unit);
      if (!every) co_return fail(every.error());
      found.every_unit = every_unit_ = *every;
    }
    if (news_.found) news_.found(found);
    found_.push_back(std::move(found));
    co_return Result<void>{};
  }

  Task<Result<bool>> answers_nobody(std::uint8_t found) {
    for (const auto unit : kNobody) {
      if (unit == found) continue;
      Ask ask;
      ask.unit = unit;
      ask.request = modbus::Read{Function::read_holding_registers, 0, 1};
      ask.patience = ask.limit = patience_;
      Tally tally;
      const auto answer = co_await line_.ask(std::move(ask), tally);
      if (answer || (answer.error().code == Errc::refused && !nobody_there(answer.error())))
        continue;
      co_return false;
    }
    co_return true;
  }

  // Several times the slowest answer so far, without making all the others wait for one slow
  // device.
  void learn(Duration answer_time) {
    slowest_ = std::max(slowest_, answer_time);
    const auto enough = std::min<Duration>(4 * slowest_, slowest_ + std::chrono::milliseconds(300));
    patience_ = std::clamp<Duration>(enough, plan_.least, plan_.most);
  }

  Talker& line_;
  const ScanPlan& plan_;
  const ScanNews& news_;
  Duration patience_;
  Duration slowest_{};
  std::bitset<256> settled_;  // there, or known not to be
  bool late_ = false, own_late_ = false;
  bool every_unit_ = false, answered_ = false;
  std::vector<UnitFound> found_;
};

}  // namespace

Duration ScanPlan::longest() const {
  const auto each = static_cast<std::int64_t>(std::size(kLooks)) * (patience + wire);
  const auto once = static_cast<std::int64_t>(units.size()) * each;
  return each > Duration{} ? once + std::min<Duration>(once, again / each * each) : once;
}

Task<Result<std::vector<UnitFound>>> scan_units(Talker& line, ScanPlan plan, const ScanNews& news,
                                                bool first) {
  Scanner scanner(line, plan, news);
  co_return co_await scanner.run(first);
}

Result<std::vector<std::uint8_t>> parse_units(std::string_view text) {
  constexpr std::string_view kExpected = "units are numbers from 0 to 255, as 1-247 or 1,5,17-20";
  std::vector<std::uint8_t> units;
  std::bitset<256> seen;
  const auto number = [](std::string_view digits) -> std::optional<unsigned> {
    digits = trim(digits);
    unsigned value = 0;
    const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (wrong != std::errc{} || end != digits.data() + digits.size() || value > 255)
      return std::nullopt;
    return value;
  };
  for (const auto part : split(text, ',')) {
    const auto dash = part.find('-');
    const auto from = number(part.substr(0, dash));
    const auto to = dash == std::string_view::npos ? from : number(part.substr(dash + 1));
    if (!from || !to || *from > *to)
      return fail(Errc::invalid, "'{}' is no range of units; {}", trim(part), kExpected);
    for (auto unit = *from; unit <= *to; ++unit) {
      if (seen[unit]) continue;
      seen[unit] = true;
      units.push_back(static_cast<std::uint8_t>(unit));
    }
  }
  return units;
}

}  // namespace lightship::poller
