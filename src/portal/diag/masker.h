// Takes secrets out of texts that are given away.
//
// Two nets, one behind the other. A configuration file is masked by the names of its keys: what is
// called password, token, headers and such loses its value, whatever it is, also in a comment. Then
// every text is swept for the secrets that are known (secrets.yaml, and what was masked), and for
// user and password in URLs.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace lightship::portal {

class Masker {
 public:
  static constexpr const char* kMasked = "(masked)";

  // What secrets.yaml of this directory says.
  void learn_secrets(const std::filesystem::path& config_dir);
  void learn(std::string_view secret);

  // A configuration file as text, line by line; what it hides is learned.
  std::string yaml(std::string_view text);
  // Any other text.
  std::string sweep(std::string text) const;

 private:
  std::set<std::string, std::less<>> secrets_;
};

}  // namespace lightship::portal
