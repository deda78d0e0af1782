// The files of a site and who reads what in them.
//
// Modules register their parts: several may stand under the same map, or in the same list, where a
// key (connection_type) says whose an item is. `load` reads every known file, runs the parts that
// are there and reports what nobody knows. A part's function is called only when the file has it,
// once, and again with describing() when the documents are made: it must take its values through
// the Fields alone.
//
//   files.section("communication.yaml", "communication.mqtt_config", "the MQTT broker",
//                 [&](Fields& f) { describe(f, site.mqtt); });
//   files.items("slave_config.yaml", "connections", "connection_type", {"serial", "tcp"}, "a Modbus
//   line",
//               [&](Fields& f) {
//                 Connection one;                      // in schema mode it is only looked at
//                 describe(f, one);
//                 if (!f.describing()) site.connections.push_back(std::move(one));
//               });
//   files.later("mesh.yaml", "the mesh");
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.h"
#include "config/mistake.h"
#include "config/vault.h"

namespace lightship::config {

class SiteFiles {
 public:
  using Read = Fields::Describe;

  void file(std::string_view file,
            std::string_view help);  // what the file is for, in the documents

  // The map at `path` ("" is the top of the file, "communication.mqtt_config" a map within a map).
  void section(std::string_view file, std::string_view path, std::string_view help, Read read);

  // Those items of the list at `list_path` whose `discriminator` has one of `values`.
  void items(std::string_view file, std::string_view list_path, std::string_view discriminator,
             std::vector<std::string> values, std::string_view help, Read item);

  // Known but not built yet: accepted with a note, and not looked into.
  void later(std::string_view file, std::string_view part);
  void later_section(std::string_view file, std::string_view path, std::string_view part);
  void later_items(std::string_view file, std::string_view list_path,
                   std::string_view discriminator, std::vector<std::string> values,
                   std::string_view part);

  // What is registered, as a tree; for load and the documents.
  struct Part {
    std::string help, later;
    Read read;
  };
  struct Group {
    std::vector<std::string> values;
    Part part;
  };
  struct List {
    std::string name, discriminator;
    std::vector<Group> groups;
  };
  struct Scope {
    std::string name;
    std::vector<Part> parts;
    std::vector<Scope> scopes;
    std::vector<List> lists;
  };
  struct File {
    std::string help, later;
    Scope top;
  };
  const std::map<std::string, File>& files() const { return files_; }
  std::vector<std::string> names() const;

 private:
  Scope& scope(std::string_view file, std::string_view path);
  List& list(std::string_view file, std::string_view list_path, std::string_view discriminator);

  std::map<std::string, File> files_;
};

// A site as texts by file name: from a directory, from the portal's editor, or from a test.
struct SiteTexts {
  std::map<std::string, std::string> files;
  Vault vault;
};

// Reads the known files of the directory; warns of other .yaml and .yml files.
SiteTexts read_directory(const std::filesystem::path& directory, const SiteFiles& known,
                         Mistakes& mistakes);

void load(const SiteTexts& texts, const SiteFiles& known, Mistakes& mistakes);
void load(const std::filesystem::path& directory, const SiteFiles& known, Mistakes& mistakes);

// Runs (or, in schema mode, describes) what is registered under one map.
// `places`: of the sections and lists of all files, for those that stand in a wrong one.
void read_scope(Fields& fields, const SiteFiles::Scope& scope,
                std::span<const Fields::Elsewhere> places = {});

}  // namespace lightship::config
