// open(2) and read(2); no stream, no exception.
#include "portal/diag/sys_tree.h"

#include <algorithm>
#include <charconv>

#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"

namespace lightship::portal {
namespace {

namespace fs = std::filesystem;

// ttyS2 before ttyS10.
bool naturally_before(std::string_view a, std::string_view b) {
  const auto number_at = [](std::string_view text) {
    const auto digits = text.find_last_not_of("0123456789");
    const auto from = digits == std::string_view::npos ? 0 : digits + 1;
    return std::pair(text.substr(0, from), text.substr(from));
  };
  const auto [stem_a, number_a] = number_at(a);
  const auto [stem_b, number_b] = number_at(b);
  if (stem_a != stem_b) return stem_a < stem_b;
  if (number_a.size() != number_b.size()) return number_a.size() < number_b.size();
  return number_a < number_b;
}

}  // namespace

fs::path SysTree::at(std::string_view path) const {
  while (path.starts_with('/')) path.remove_prefix(1);
  return root_ / path;
}

std::string SysTree::text(std::string_view path) const {
  // Not to wait for a pipe that somebody left there.
  const int fd = ::open(at(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return {};
  std::string all;
  char part[4096];
  while (all.size() < kMostBytes) {
    const auto got = ::read(fd, part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    all.append(part, static_cast<std::size_t>(got));
  }
  ::close(fd);
  return all;
}

std::string SysTree::line(std::string_view path) const {
  const auto all = text(path);
  std::string first(trim(std::string_view(all).substr(0, all.find_first_of("\n"))));
  // The texts of a device tree end with a NUL.
  std::erase_if(first, [](unsigned char letter) { return letter < ' ' || letter == 127; });
  return first;
}

std::optional<std::int64_t> SysTree::number(std::string_view path) const {
  const auto first = line(path);
  std::string_view digits = first;
  const bool hex = digits.starts_with("0x");
  if (hex) digits.remove_prefix(2);
  std::int64_t number = 0;
  const auto [end, wrong] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
  if (wrong != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::vector<std::string> SysTree::names(std::string_view folder) const {
  std::vector<std::string> found;
  std::error_code failed;
  for (fs::directory_iterator entry(at(folder), failed), end;
       !failed && entry != end && found.size() < kMostNames; entry.increment(failed)) {
    found.push_back(entry->path().filename().string());
  }
  std::ranges::sort(found, naturally_before);
  return found;
}

bool SysTree::exists(std::string_view path) const {
  std::error_code failed;
  return fs::exists(at(path), failed);
}

std::string SysTree::target(std::string_view link) const {
  std::error_code failed;
  const auto to = fs::read_symlink(at(link), failed);
  return failed ? std::string() : to.string();
}

std::optional<std::uint64_t> figure_named(std::string_view text, std::string_view name) {
  for (const auto line : split(text, '\n')) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    const auto words = words_of(line.substr(name.size() + 1), 2);
    std::uint64_t number = 0;
    if (words.empty()) return std::nullopt;
    const auto& word = words.front();
    const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
    if (read.ec != std::errc{}) return std::nullopt;
    return number;
  }
  return std::nullopt;
}

std::string value_named(std::string_view text, std::string_view name, char separator) {
  for (const auto line : split(text, '\n')) {
    const auto at = line.find(separator);
    if (at == std::string_view::npos || trim(line.substr(0, at)) != name) continue;
    auto value = trim(line.substr(at + 1));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
        value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return {};
}

std::vector<std::string_view> words_of(std::string_view line, std::size_t most) {
  std::vector<std::string_view> words;
  while (words.size() < most) {
    const auto from = line.find_first_not_of(" \t\n");
    if (from == std::string_view::npos) break;
    line.remove_prefix(from);
    const auto end = std::min(line.find_first_of(" \t\n"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

}  // namespace lightship::portal
