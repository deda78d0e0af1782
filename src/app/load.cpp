// Fresh modules, filled and checked.
#include "app/load.h"

#include "app/registry.h"
#include "config/reference.h"

namespace lightship::app {

Loaded load_site(const std::filesystem::path& directory) {
  Loaded loaded;
  loaded.site.config_dir = directory;
  auto house = std::make_unique<House>();
  const auto& settings = house->config();
  loaded.modules.push_back(std::move(house));
  for (const auto& module : built_in()) loaded.modules.push_back(module.make());

  config::SiteFiles files;
  for (const auto& module : loaded.modules) module->declare(files);
  config::load(directory, files, loaded.mistakes);
  for (const auto& module : loaded.modules) module->gather(loaded.site, loaded.mistakes);
  for (const auto& module : loaded.modules) module->check(loaded.site, loaded.mistakes);
  loaded.house = settings;
  for (const auto& module : loaded.modules) {
    for (auto& plan : module->plans(loaded.site)) loaded.plans.push_back(std::move(plan));
  }
  if (!loaded.ok()) return loaded;
  std::string all = loaded.site.device_id + loaded.house.listen;
  for (const auto& module : loaded.modules) {
    for (auto& part : module->parts(loaded.site)) {
      all += "|" + part.name + part.fingerprint;
      loaded.parts.push_back(std::move(part));
    }
  }
  loaded.hash = fmt::format("{:016x}", std::hash<std::string>{}(all));
  return loaded;
}

portal::OurUses uses_of(const Loaded& loaded) {
  portal::OurUses uses;
  for (const auto& peer : loaded.site.peers)
    uses.peers.push_back({peer.name, peer.host, peer.port});
  for (const auto& plan : loaded.plans) {
    // "/dev/ttyS0 9600 8N1"; of other lines the first word is a protocol.
    const auto port = plan.line.substr(0, plan.line.find(' '));
    if (port.starts_with('/')) uses.ports.push_back({port, "modbus/" + plan.connection});
  }
  return uses;
}

namespace {

// Fresh modules, and what they declare.
struct Declared {
  Declared() {
    modules.push_back(std::make_unique<House>());
    for (const auto& module : built_in()) modules.push_back(module.make());
    for (const auto& module : modules) module->declare(files);
  }
  std::vector<std::unique_ptr<config::Module>> modules;
  config::SiteFiles files;
};

}  // namespace

portal::ConfigKeys config_keys() {
  const Declared declared;
  portal::ConfigKeys keys;
  for (const auto& [name, file] : declared.files.files()) {
    if (file.later.empty()) keys[name] = config::schema_of_file(file);
  }
  return keys;
}

std::string reference_markdown() {
  const Declared declared;
  return config::markdown(declared.files);
}

}  // namespace lightship::app
