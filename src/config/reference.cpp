// Tables for people: docs/configuration.md.
#include "config/reference.h"

#include <fmt/format.h>

#include "base/text.h"

namespace lightship::config {
namespace {

std::string quoted(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "`" : ", `") + word + "`";
  return out;
}

std::string type_name(const Type& type) {
  if (!type.choices.empty()) return quoted(type.choices);
  switch (type.kind) {
    case Kind::boolean:
      return "true or false";
    case Kind::integer:
      return "whole number";
    case Kind::number:
      return "number";
    case Kind::duration:
      return "duration";
    case Kind::size:
      return "size";
    case Kind::secret:
      return "secret";
    case Kind::list:
      return "list";
    case Kind::items:
      return "list of maps";
    case Kind::map:
    case Kind::section:
      return "map";
    default:
      return "text";
  }
}

std::string type_of(const Described& key) {
  if (key.kind == Kind::list) {
    const std::string one = type_name(key.type);
    return key.or_single ? fmt::format("{} or list of these", one) : fmt::format("list of {}", one);
  }
  if (key.kind == Kind::section && !key.type.choices.empty())
    return quoted(key.type.choices) + " or map";
  if (key.kind == Kind::map && key.keys.size() == 1 && key.keys.front().keys.empty()) {
    return fmt::format("map of names to {}", type_of(key.keys.front()));
  }
  return type_name(key.type);
}

std::string default_of(const Described& key) {
  if (key.required) return "required";
  if (key.kind == Kind::list) {
    std::vector<std::string> values;
    for (const auto& value : key.default_list) values.push_back(show(value, key.type.kind));
    return values.empty() ? "" : fmt::format("`[{}]`", join(values, ", "));
  }
  const std::string shown = show(key.default_value, key.type.kind);
  return shown.empty() ? "" : fmt::format("`{}`", shown);
}

std::string bound(double number, Kind kind) {
  if (kind == Kind::duration) return show(std::int64_t{std::llround(number * 1e6)}, kind);
  if (kind == Kind::size) return show(static_cast<std::uint64_t>(number), kind);
  return to_text(Real{number, Real::kShortest});
}

std::string range_of(const Described& key) {
  const std::string unit = key.unit.empty() ? "" : " " + key.unit;
  const Kind kind = key.type.kind;
  if (key.minimum && key.maximum) {
    return fmt::format("{} to {}{}", bound(*key.minimum, kind), bound(*key.maximum, kind), unit);
  }
  if (key.minimum) return fmt::format("at least {}{}", bound(*key.minimum, kind), unit);
  if (key.maximum) return fmt::format("at most {}{}", bound(*key.maximum, kind), unit);
  return key.unit;
}

std::string meaning_of(const Described& key) {
  std::string out = key.help;
  const auto add = [&](std::string more) { out += (out.empty() ? "" : "; ") + std::move(more); };
  if (!key.only_with.empty()) add("only with " + key.only_with);
  if (!key.example.empty()) add(fmt::format("for example `{}`", key.example));
  if (!key.deprecated.empty()) add("out of use: " + key.deprecated);
  if (!key.later.empty()) add(fmt::format("without effect until this is built: {}", key.later));
  return out;
}

// A cell must not end its table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

void write_keys(std::string& out, const std::vector<Described>& keys, const std::string& path);

void write_table(std::string& out, const std::vector<Described>& keys) {
  out += "| Key | Type | Default | Range | Meaning |\n|---|---|---|---|---|\n";
  for (const auto& key : keys) {
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", key.key, cell(type_of(key)),
                       cell(default_of(key)), cell(range_of(key)), cell(meaning_of(key)));
  }
  out += '\n';
}

void write_inner(std::string& out, const Described& key, const std::string& path) {
  const bool items = key.kind == Kind::items;
  for (const auto& variant : key.variants) {
    out +=
        fmt::format("### `{}[]` with `{}` {}\n\n", path, key.discriminator, quoted(variant.values));
    if (!variant.help.empty()) out += variant.help + "\n\n";
    if (!variant.later.empty()) {
      out += fmt::format("Accepted, without effect until this is built: {}.\n\n", variant.later);
    } else {
      write_keys(out, variant.keys, path + "[]");
    }
  }
  if (!key.variants.empty() || key.keys.empty()) return;
  if (key.kind == Kind::map) {
    for (const auto& entry : key.keys) write_inner(out, entry, path + "." + entry.key);
    return;
  }
  const std::string name = items ? path + "[]" : path;
  out += fmt::format("### `{}`\n\n", name);
  if (!key.help.empty()) out += key.help + "\n\n";
  write_keys(out, key.keys, name);
}

void write_keys(std::string& out, const std::vector<Described>& keys, const std::string& path) {
  write_table(out, keys);
  for (const auto& key : keys) write_inner(out, key, path.empty() ? key.key : path + "." + key.key);
}

}  // namespace

std::vector<Described> schema_of_file(const SiteFiles::File& file) {
  std::vector<Described> keys;
  Fields fields(keys);
  read_scope(fields, file.top);
  return keys;
}

std::string markdown(const std::vector<Described>& keys) {
  std::string out;
  write_keys(out, keys, "");
  return out;
}

std::string markdown(const SiteFiles& files) {
  std::string out;
  for (const auto& [name, file] : files.files()) {
    out += fmt::format("## {}\n\n", name);
    if (!file.help.empty()) out += file.help + "\n\n";
    if (!file.later.empty()) {
      out += fmt::format("Accepted, without effect until this is built: {}.\n\n", file.later);
    } else {
      out += markdown(schema_of_file(file));
    }
  }
  return out;
}

}  // namespace lightship::config
