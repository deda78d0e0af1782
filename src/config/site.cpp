// Registered parts, and running them over the files of a site.
#include "config/site.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/document.h"
#include "config/node.h"

namespace lightship::config {
namespace {

std::vector<std::string> all_values(const SiteFiles::List& list) {
  std::vector<std::string> values;
  for (const auto& group : list.groups)
    values.insert(values.end(), group.values.begin(), group.values.end());
  return values;
}

// Whose item this is. A wrong value was reported already; the rest of the item is then read as what
// was probably meant, so that its mistakes are found at the same time.
const SiteFiles::Group* group_of(const SiteFiles::List& list, const std::string& value) {
  const std::string meant = nearest(value, all_values(list)).value_or(value);
  const SiteFiles::Group* built = nullptr;
  std::size_t count = 0;
  for (const auto& group : list.groups) {
    if (std::ranges::find(group.values, meant) != group.values.end()) return &group;
    if (group.part.read) {
      built = &group;
      ++count;
    }
  }
  return count == 1 ? built : nullptr;
}

void read_item(Fields& item, const SiteFiles::List& list) {
  std::string kind;
  item.value(list.discriminator, kind, "").required().one_of(all_values(list));
  const auto* group = group_of(list, kind);
  if (group != nullptr && group->part.read) return group->part.read(item);
  item.ignore_the_rest();
  if (group == nullptr) return;
  item.note(list.discriminator,
            fmt::format("'{}' has no effect in this version: {} is not built yet", kind,
                        group->part.later));
}

std::vector<Variant> variants_of(const SiteFiles::List& list) {
  std::vector<Variant> variants;
  for (const auto& group : list.groups) {
    Variant& variant = variants.emplace_back(group.values, group.part.help, group.part.later);
    Fields keys(variant.keys);
    std::string kind;
    keys.value(list.discriminator, kind, "which of them it is").required().one_of(group.values);
    if (group.part.read) group.part.read(keys);
  }
  return variants;
}

void read_list(Fields& fields, const SiteFiles::List& list) {
  Field field = fields.items_with(list.name, "", [&](Fields& item) {
    if (!item.describing()) read_item(item, list);
  });
  if (fields.describing()) field.differ_by(list.discriminator, variants_of(list));
}

std::string help_of(const SiteFiles::Scope& scope) {
  for (const auto& part : scope.parts) {
    if (!part.help.empty()) return part.help;
  }
  return {};
}

// "under communication, as communication.mqtt_config", "in slave_config.yaml, as connections".
void find_places(const std::string& file, const std::string& path, const SiteFiles::Scope& scope,
                 std::vector<Fields::Elsewhere>& places) {
  const auto add = [&](const std::string& name) {
    places.push_back({name, path.empty()
                                ? fmt::format("at the top of {}, as {}", file, name)
                                : fmt::format("in {} under {}, as {}.{}", file, path, path, name)});
  };
  for (const auto& inner : scope.scopes) {
    add(inner.name);
    find_places(file, path.empty() ? inner.name : path + "." + inner.name, inner, places);
  }
  for (const auto& list : scope.lists) add(list.name);
}

}  // namespace

void read_scope(Fields& fields, const SiteFiles::Scope& scope,
                std::span<const Fields::Elsewhere> places) {
  fields.belongs(places);
  for (const auto& part : scope.parts) {
    if (part.read) part.read(fields);
  }
  for (const auto& inner : scope.scopes) {
    const bool later =
        inner.scopes.empty() && inner.lists.empty() &&
        std::ranges::none_of(inner.parts, [](const auto& part) { return part.read != nullptr; });
    if (later && !inner.parts.empty()) {
      fields.anything(inner.name, help_of(inner)).later(inner.parts.front().later);
    } else {
      fields.section_with(inner.name, help_of(inner),
                          [&](Fields& f) { read_scope(f, inner, places); });
    }
  }
  for (const auto& list : scope.lists) read_list(fields, list);
}

SiteFiles::Scope& SiteFiles::scope(std::string_view file, std::string_view path) {
  Scope* at = &files_[std::string(file)].top;
  if (path.empty()) return *at;
  for (const auto name : split(path, '.')) {
    const auto found = std::ranges::find(at->scopes, name, &Scope::name);
    at = found != at->scopes.end() ? &*found : &at->scopes.emplace_back(std::string(name));
  }
  return *at;
}

SiteFiles::List& SiteFiles::list(std::string_view file, std::string_view list_path,
                                 std::string_view discriminator) {
  const auto dot = list_path.rfind('.');
  const bool nested = dot != std::string_view::npos;
  Scope& parent = scope(file, nested ? list_path.substr(0, dot) : "");
  const auto name = nested ? list_path.substr(dot + 1) : list_path;
  const auto found = std::ranges::find(parent.lists, name, &List::name);
  if (found != parent.lists.end()) return *found;
  return parent.lists.emplace_back(std::string(name), std::string(discriminator));
}

void SiteFiles::file(std::string_view file, std::string_view help) {
  files_[std::string(file)].help = help;
}

void SiteFiles::section(std::string_view file, std::string_view path, std::string_view help,
                        Read read) {
  scope(file, path).parts.push_back({std::string(help), {}, std::move(read)});
}

void SiteFiles::items(std::string_view file, std::string_view list_path,
                      std::string_view discriminator, std::vector<std::string> values,
                      std::string_view help, Read item) {
  list(file, list_path, discriminator)
      .groups.push_back({std::move(values), {std::string(help), {}, std::move(item)}});
}

void SiteFiles::later(std::string_view file, std::string_view part) {
  files_[std::string(file)].later = part;
}

void SiteFiles::later_section(std::string_view file, std::string_view path, std::string_view part) {
  scope(file, path).parts.push_back({{}, std::string(part), {}});
}

void SiteFiles::later_items(std::string_view file, std::string_view list_path,
                            std::string_view discriminator, std::vector<std::string> values,
                            std::string_view part) {
  list(file, list_path, discriminator)
      .groups.push_back({std::move(values), {{}, std::string(part), {}}});
}

std::vector<std::string> SiteFiles::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : files_) names.push_back(name);
  names.emplace_back(Vault::kFile);
  return names;
}

SiteTexts read_directory(const std::filesystem::path& directory, const SiteFiles& known,
                         Mistakes& mistakes) {
  SiteTexts texts;
  texts.vault = Vault::open(directory, mistakes);
  const auto names = known.names();
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') || !(name.ends_with(".yaml") || name.ends_with(".yml"))) continue;
    if (known.files().contains(name)) {
      if (auto text = read_text(entry.path(), name, mistakes)) texts.files[name] = std::move(*text);
    } else if (name != Vault::kFile) {
      auto& mistake = mistakes.warning({name, 1, 1, {}}, "this file is not known and not read");
      mistake.suggestion = nearest(name, names).value_or("");
      mistake.expected = join(names, ", ");
    }
  }
  if (error)
    mistakes.error({directory.string(), 1, 1, {}},
                   fmt::format("cannot be read: {}", error.message()));
  return texts;
}

void load(const SiteTexts& texts, const SiteFiles& known, Mistakes& mistakes) {
  std::vector<Fields::Elsewhere> places;
  for (const auto& [name, file] : known.files()) find_places(name, "", file.top, places);
  for (const auto& [name, file] : known.files()) {
    const auto text = texts.files.find(name);
    if (text == texts.files.end()) continue;
    const Document document(name, text->second, texts.vault, mistakes);
    if (document.broken()) continue;
    if (!file.later.empty()) {
      const Node& top = document.root();
      if (!top.entries.empty()) {
        mistakes.note({name, top.line, top.column, {}},
                      fmt::format("this file has no effect in this version: {} is not built yet",
                                  file.later));
      }
      continue;
    }
    Fields fields(document, mistakes);
    read_scope(fields, file.top, places);
    fields.finish();
  }
}

void load(const std::filesystem::path& directory, const SiteFiles& known, Mistakes& mistakes) {
  load(read_directory(directory, known, mistakes), known, mistakes);
}

}  // namespace lightship::config
