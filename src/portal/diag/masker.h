// Takes secrets out of texts that are given away.
//
// Three nets, one behind the other. A configuration file is masked by the names of its keys: what
// is called password, token, headers and such loses its value, whatever it is, also in a comment.
// Then every text is swept for the secrets that are known (secrets.yaml, the environment where a
// file refers to it, what a file's keys of such names say however they are written), and for user
// and password in URLs. Last, a masked file is read again: one that still tells is not given away.
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

  // What a configuration file says, as the program reads it. False: it is no YAML, and nobody knows
  // what is in it.
  bool learn_file(std::string_view text);
  // Nothing that is called a secret has a value in this masked file.
  bool is_masked(std::string_view text) const;

  // A configuration file as text, line by line; what it hides is learned.
  std::string yaml(std::string_view text);
  // Any other text.
  std::string sweep(std::string text) const;

 private:
  std::set<std::string, std::less<>> secrets_;
  config::Vault vault_;
};

}  // namespace lightship::portal
