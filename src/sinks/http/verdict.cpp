// Statuses to verdicts, and the texts beside them.
#include "sinks/http/verdict.h"

#include <array>
#include <charconv>

#include "base/text.h"

namespace lightship::http {
namespace {

constexpr int kProxyAuthentication = 407;

// One line of printable text; what is not UTF-8 is left out.
std::string one_line(std::string_view text, std::size_t most) {
  std::string line;
  while (!text.empty() && line.size() < most) {
    const auto length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0 || first <= ' ' || first == 0x7f) {
      if (!line.empty() && line.back() != ' ') line += ' ';
      text.remove_prefix(std::max<std::size_t>(length, 1));
      continue;
    }
    line += text.substr(0, length);
    text.remove_prefix(length);
  }
  if (!text.empty()) line += "...";
  return std::string(trim(line));
}

std::string without(std::span<const std::string> secrets, std::string text) {
  constexpr std::string_view kShown = "(secret)";
  for (const auto& secret : secrets) {
    for (auto at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + kShown.size()))
      text.replace(at, secret.size(), kShown);
  }
  return text;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size() || text.empty() || text[0] == '-')
    return std::nullopt;
  return value;
}

std::optional<unsigned> month(std::string_view name) {
  constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned i = 0; i < names.size(); ++i) {
    if (names[i] == name) return i + 1;
  }
  return std::nullopt;
}

// "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"
// (RFC 9110, 5.6.7).
std::optional<Time> parse_http_date(std::string_view text, Time now) {
  std::string spaced(text);
  for (char& c : spaced) {
    if (c == ',' || c == '-') c = ' ';
  }
  std::vector<std::string_view> words;
  for (const auto word : split(spaced, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() == 5) {  // asctime: day, month, date, time, year
    words = {words[0], words[2], words[1], words[4], words[3], "GMT"};
  }
  if (words.size() != 6 || words[5] != "GMT") return std::nullopt;
  const auto day = number(words[1]);
  const auto in_month = month(words[2]);
  auto year = number(words[3]);
  const auto clock = split(words[4], ':');
  if (!day || !in_month || !year || clock.size() != 3) return std::nullopt;
  if (words[3].size() == 2) {  // more than 50 years ahead means the past century
    const auto today = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(now));
    const int this_year = static_cast<int>(today.year());
    *year += this_year / 100 * 100;
    if (*year > this_year + 50) *year -= 100;
  }
  const auto hour = number(clock[0]), minute = number(clock[1]), second = number(clock[2]);
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*in_month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60 || !date.ok())
    return std::nullopt;
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

}  // namespace

bool refuses_url(int status) {
  switch (status) {
    case 403:  // Forbidden
    case 404:  // Not Found
    case 405:  // Method Not Allowed
    case 410:  // Gone
    case 451:  // Unavailable For Legal Reasons
      return true;
    default:
      return false;
  }
}

Verdict judge(const Result<link::HttpAnswer>& outcome, std::size_t messages, Url url) {
  if (!outcome) {
    // The proxy said no: to us, not to the message.
    const int proxy = outcome.error().code == Errc::refused ? outcome.error().detail : 0;
    return proxy == kProxyAuthentication || proxy == 401 || proxy == 403 ? Verdict::refused
                                                                         : Verdict::retry;
  }
  const int status = outcome->status;
  if (status >= 200 && status < 300) return Verdict::delivered;
  if (status >= 300 && status < 400) return Verdict::refused;  // it has moved: the URL is wrong
  switch (status) {
    case 408:  // Request Timeout
    case 425:  // Too Early
    case 429:  // Too Many Requests
      return Verdict::retry;
    case 401:                   // Unauthorized
    case 402:                   // Payment Required
    case kProxyAuthentication:  // Proxy Authentication Required
    case 421:                   // Misdirected Request
    case 426:                   // Upgrade Required
      return Verdict::refused;
    default:
      if (refuses_url(status)) return url == Url::of_device ? Verdict::set_aside : Verdict::refused;
      if (status < 400 || status >= 500) return Verdict::retry;
      return messages > 1 ? Verdict::split : Verdict::set_aside;
  }
}

std::string reason_of(const Result<link::HttpAnswer>& outcome, std::size_t most,
                      std::span<const std::string> secrets) {
  if (!outcome) return one_line(without(secrets, outcome.error().text), most);
  auto text = fmt::format("HTTP {}", outcome->status);
  if (outcome->location && outcome->status >= 300 && outcome->status < 400) {
    text += " to " + without(secrets, link::shown_url(*outcome->location));
  }
  if (auto said = one_line(without(secrets, outcome->body), most); !said.empty())
    text += ": " + said;
  return text;
}

std::optional<Duration> parse_retry_after(std::string_view text, Time now) {
  text = trim(text);
  std::optional<Duration> pause;
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    // More digits than fit mean a long time all the same.
    const auto seconds = number(text).value_or(std::numeric_limits<int>::max());
    pause = std::chrono::seconds(seconds);
  } else if (const auto date = parse_http_date(text, now)) {
    pause = std::max(*date - now, Duration::zero());
  }
  if (pause) pause = std::min(*pause, kMostRetryAfter);
  return pause;
}

}  // namespace lightship::http
