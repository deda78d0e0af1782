// Looks at what modules name.
#include "config/module.h"

#include <fmt/format.h>

namespace lightship::config {

void check_files(const Site& site, const NamedFiles& named, Mistakes& mistakes) {
  const std::pair<const char*, const std::string*> all[] = {
      {"ca_file", &named.ca_file}, {"cert_file", &named.cert_file}, {"key_file", &named.key_file}};
  for (const auto& [key, name] : all) {
    if (name->empty() || site.config_dir.empty()) continue;
    const auto file = site.config_dir / *name;
    std::error_code unknown;
    if (std::filesystem::is_regular_file(file, unknown)) continue;
    auto& mistake = mistakes.warning(
        named.at,
        fmt::format("{}: there is no file {}; no connection will be made until it is there", key,
                    file.string()));
    mistake.found = *name;
    mistake.expected = "a file in PEM, relative to the configuration directory";
  }
}

}  // namespace lightship::config
