// Resolves before it compares, and asks the login page's own list what strangers may have.
#include "portal/site_folder.h"

#include <array>
#include <utility>

#include <boost/json/parse.hpp>

#include "base/file.h"

namespace lightship::portal {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMost = 8 * 1024 * 1024;

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kTypes{{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".webp", "image/webp"},
    {".woff2", "font/woff2"},
    {".json", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
}};

std::string type_of(const fs::path& file) {
  for (const auto& [ending, type] : kTypes) {
    if (file.extension() == ending) return std::string(type);
  }
  return "application/octet-stream";
}

// As web/scripts/embed.py: four files, and whatever .vite/login.json names.
bool is_of_login(const fs::path& root, const std::string& name) {
  for (const auto* open : {"login.html", "boot.js", "icon.svg", "licences.txt"}) {
    if (name == open) return true;
  }
  const auto text = read_file(root / ".vite/login.json", kMost);
  if (!text) return false;
  boost::system::error_code failed;
  const auto manifest = boost::json::parse(*text, failed);
  if (failed || !manifest.is_object()) return false;
  const auto is = [&](const boost::json::value& one) {
    return one.is_string() && one.as_string() == name;
  };
  for (const auto& [_, chunk] : manifest.as_object()) {
    if (!chunk.is_object()) continue;
    if (const auto* file = chunk.as_object().if_contains("file"); file && is(*file)) return true;
    for (const auto* list : {"css", "assets"}) {
      const auto* names = chunk.as_object().if_contains(list);
      if (names == nullptr || !names->is_array()) continue;
      for (const auto& one : names->as_array()) {
        if (is(one)) return true;
      }
    }
  }
  return false;
}

}  // namespace

std::optional<FolderFile> read_from(const fs::path& root, const std::string& path) {
  if (!path.starts_with('/') || path.find('\0') != std::string::npos) return std::nullopt;
  std::error_code failed;
  const auto home = fs::canonical(root, failed);
  if (failed) return std::nullopt;
  const fs::path asked = path.substr(1);
  if (asked.is_absolute()) return std::nullopt;
  for (const auto& part : asked) {
    if (part.empty() || part.native().starts_with('.')) return std::nullopt;
  }
  const auto file = fs::canonical(home / asked, failed);
  if (failed || !fs::is_regular_file(file, failed)) return std::nullopt;
  const auto within = file.lexically_relative(home);
  if (within.empty() || *within.begin() == "..") return std::nullopt;
  auto bytes = read_file(file, kMost);
  if (!bytes) return std::nullopt;
  return FolderFile{std::move(*bytes), type_of(file), is_of_login(home, asked.generic_string())};
}

}  // namespace lightship::portal
