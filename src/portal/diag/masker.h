// Takes secrets out of texts that are given away.
//
// It sweeps for the secrets that are known: secrets.yaml, the environment where a file refers to
// it, what configuration files say under keys that hide something (see config_text.h), keys in PEM;
// for user and password in URLs and for all of a web address behind its host, which is where
// webhooks have their key; and for what stands behind "password=" and such.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "config/vault.h"

namespace lightship::portal {

class Masker {
 public:
  static constexpr const char* kMasked = "(masked)";

  // What secrets.yaml of this directory says.
  void learn_secrets(const std::filesystem::path& config_dir);
  void learn(std::string_view secret);
  // What is in an address beside its host.
  void learn_url(std::string_view url);

  // What a configuration file says under keys that hide something. False: it is no YAML, and nobody
  // knows what is in it.
  bool learn_file(std::string_view text);

  // "password", "bot_token", "channel_keys".
  static bool is_name_of_secret(std::string_view name);
  // The name of a user is hidden where it stands, but may be a word that stands everywhere.
  static bool is_to_be_swept_for(std::string_view name, std::string_view value);
  // A key in PEM, "Bearer ...", "password=...", a long word of letters and digits.
  static bool looks_like_secret(std::string_view text);

  std::string without_urls(std::string text) const;
  std::string sweep(std::string text) const;

  const config::Vault& vault() const { return vault_; }

 private:
  std::set<std::string, std::less<>> secrets_;
  config::Vault vault_;
};

}  // namespace lightship::portal
