// Reads times.
#include "config/time_text.h"

#include <charconv>

#include "base/text.h"
#include "config/scalar.h"

namespace lightship::config {
namespace {

// Takes exactly `digits` digits from the front.
std::optional<int> digits_of(std::string_view& text, std::size_t digits) {
  int number = 0;
  if (text.size() < digits) return std::nullopt;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + digits, number);
  if (wrong != std::errc{} || end != text.data() + digits || number < 0) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

bool skip(std::string_view& text, char letter) {
  if (!text.starts_with(letter)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Duration> offset(std::string_view text) {
  using namespace std::chrono_literals;
  if (text.empty() || text == "Z" || text == "z") return Duration(0);
  const bool minus = text.front() == '-';
  if (!minus && text.front() != '+') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = digits_of(text, 2);
  skip(text, ':');
  const auto minutes = digits_of(text, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59 || !text.empty()) return std::nullopt;
  const Duration sum = *hours * 1h + *minutes * 1min;
  return minus ? -sum : sum;
}

std::optional<Time> calendar(std::string_view text) {
  using namespace std::chrono;
  const auto y = digits_of(text, 4);
  if (!y || !skip(text, '-')) return std::nullopt;
  const auto m = digits_of(text, 2);
  if (!m || !skip(text, '-')) return std::nullopt;
  const auto d = digits_of(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date(year(*y), month(static_cast<unsigned>(*m)),
                            day(static_cast<unsigned>(*d)));
  if (!date.ok()) return std::nullopt;
  Time time = sys_days(date);
  if (text.empty()) return time;
  if (!skip(text, 'T') && !skip(text, 't') && !skip(text, ' ')) return std::nullopt;
  const auto h = digits_of(text, 2);
  if (!h || !skip(text, ':')) return std::nullopt;
  const auto min = digits_of(text, 2);
  if (!min || *h > 23 || *min > 59) return std::nullopt;
  time += hours(*h) + minutes(*min);
  if (skip(text, ':')) {
    const auto s = digits_of(text, 2);
    if (!s || *s > 60) return std::nullopt;
    time += seconds(*s);
    if (skip(text, '.')) {
      Duration unit = 100'000us;
      std::size_t digits = 0;
      for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
        time += (text.front() - '0') * unit;
        unit /= 10;
        text.remove_prefix(1);
      }
      if (digits == 0) return std::nullopt;
    }
  }
  const auto ahead = offset(text);
  if (!ahead) return std::nullopt;
  return time - *ahead;
}

}  // namespace

std::optional<Time> parse_time(std::string_view text, Time now) {
  text = trim(text);
  if (text == "now") return now;
  const auto today = std::chrono::floor<std::chrono::days>(now);
  if (text == "today") return Time(today);
  if (text == "yesterday") return Time(today - std::chrono::days(1));
  if (text.starts_with('-')) {
    const auto ago = parse_duration(text.substr(1));
    if (!ago) return std::nullopt;
    return now - Duration(*ago);
  }
  if (const auto time = calendar(text)) return time;
  std::int64_t seconds = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  // Ten digits: a small number is more likely a slip than a second of 1970.
  if (wrong == std::errc{} && end == text.data() + text.size() && seconds >= 100'000'000 &&
      seconds < 100'000'000'000)
    return Time(std::chrono::seconds(seconds));
  return std::nullopt;
}

}  // namespace lightship::config
