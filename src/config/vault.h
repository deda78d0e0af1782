// Where secrets come from: secrets.yaml beside the configuration, and the environment.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/mistake.h"

namespace lightship::config {

class Vault {
 public:
  static constexpr const char* kFile = "secrets.yaml";

  Vault() = default;  // knows nothing, not even the environment
  Vault(std::map<std::string, std::string> secrets, std::map<std::string, std::string> environment);

  // secrets.yaml of the directory, when there is one, and this process's environment. A file that
  // others may read is a mistake and is not used.
  static Vault open(const std::filesystem::path& directory, Mistakes& mistakes);

  std::optional<std::string> secret(const std::string& name) const;
  std::optional<std::string> environment(const std::string& name) const;
  std::vector<std::string> secret_names() const;
  std::vector<std::string> environment_names() const;
  bool has_file() const { return has_file_; }
  bool refused() const {
    return refused_;
  }  // secrets.yaml is there but was not read, and that is reported

 private:
  std::map<std::string, std::string> secrets_;
  std::map<std::string, std::string> environment_;
  bool has_file_ = false;
  bool refused_ = false;
};

}  // namespace lightship::config
