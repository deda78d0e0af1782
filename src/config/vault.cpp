// Reading secrets.yaml and the environment.
#include "config/vault.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ranges>

#include <fmt/format.h>

#include "config/document.h"
#include "config/node.h"

namespace lightship::config {
namespace {

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::optional<std::string> find(const std::map<std::string, std::string>& in,
                                const std::string& name) {
  const auto found = in.find(name);
  if (found == in.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> names_of(const std::map<std::string, std::string>& in) {
  const auto keys = std::views::keys(in);
  return {keys.begin(), keys.end()};
}

}  // namespace

Vault::Vault(std::map<std::string, std::string> secrets,
             std::map<std::string, std::string> environment)
    : secrets_(std::move(secrets)),
      environment_(std::move(environment)),
      has_file_(!secrets_.empty()) {}

Vault Vault::open(const std::filesystem::path& directory, Mistakes& mistakes) {
  Vault vault({}, process_environment());
  const auto file = directory / kFile;
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0 && errno == ENOENT) return vault;

  vault.has_file_ = true;
  vault.refused_ = true;
  if ((status.st_mode & 077) != 0) {
    auto& mistake =
        mistakes.error({kFile, 1, 1, {}},
                       fmt::format("mode {:04o} lets others read the secrets; run: chmod 600 {}",
                                   status.st_mode & 07777, file.string()));
    mistake.found = fmt::format("mode {:04o}", status.st_mode & 07777);
    mistake.expected = "mode 0600";
    return vault;
  }
  const auto text = read_text(file, kFile, mistakes);
  if (!text) return vault;
  const Document document(kFile, *text, Vault(), mistakes, Document::Lines::hidden);
  if (document.broken()) return vault;

  vault.refused_ = false;
  for (const auto& entry : document.root().entries) {
    if (entry.value->kind == Node::Kind::broken) continue;
    if (entry.value->kind == Node::Kind::scalar) {
      vault.secrets_[entry.key] = entry.value->text;
    } else {
      mistakes.error({kFile, entry.line, entry.column, entry.key},
                     fmt::format("{}: expected a text", entry.key));
    }
  }
  return vault;
}

std::optional<std::string> Vault::secret(const std::string& name) const {
  return find(secrets_, name);
}
std::optional<std::string> Vault::environment(const std::string& name) const {
  return find(environment_, name);
}
std::vector<std::string> Vault::secret_names() const { return names_of(secrets_); }
std::vector<std::string> Vault::environment_names() const { return names_of(environment_); }

}  // namespace lightship::config
