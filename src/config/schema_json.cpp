// The declarations as a JSON Schema, with help, unit and secret beside its own words.
#include <fmt/format.h>

#include "base/json_writer.h"
#include "config/reference.h"

namespace lightship::config {
namespace {

void write_object(JsonWriter& json, const std::vector<Described>& keys);
void write_members(JsonWriter& json, const Described& key);

std::string_view json_type(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "boolean";
    case Kind::integer:
      return "integer";
    case Kind::number:
      return "number";
    case Kind::list:
    case Kind::items:
      return "array";
    case Kind::map:
    case Kind::section:
      return "object";
    default:
      return "string";
  }
}

void write_words(JsonWriter& json, std::string_view name, const std::vector<std::string>& words,
                 Kind kind) {
  json.key(name).begin_array();
  const bool numbers = kind == Kind::integer || kind == Kind::number;
  for (const auto& word : words) numbers ? json.raw(word) : json.value(word);
  json.end_array();
}

void write_value(JsonWriter& json, const Value& value, Kind kind) {
  if (kind == Kind::duration || kind == Kind::size) {
    json.value(show(value, kind));
  } else {
    json.value(value);
  }
}

// The type of a scalar and its limits.
void write_scalar(JsonWriter& json, const Described& key) {
  const Kind kind = key.type.kind;
  json.member("type", json_type(kind));
  if (kind == Kind::duration) json.member("format", "duration");
  if (kind == Kind::size) json.member("format", "size");
  if (kind == Kind::secret) json.member("secret", true);
  if (!key.type.choices.empty()) write_words(json, "enum", key.type.choices, kind);
  if (key.minimum) json.member("minimum", *key.minimum);
  if (key.maximum) json.member("maximum", *key.maximum);
}

void write_required(JsonWriter& json, const std::vector<Described>& keys) {
  json.key("required").begin_array();
  for (const auto& key : keys) {
    if (key.required) json.value(key.key);
  }
  json.end_array();
}

// The members of a schema object for these keys, without its braces.
void write_object(JsonWriter& json, const std::vector<Described>& keys) {
  json.member("type", "object").key("properties").begin_object();
  for (const auto& key : keys) {
    json.key(key.key).begin_object();
    write_members(json, key);
    json.end_object();
  }
  json.end_object();
  write_required(json, keys);
  json.member("additionalProperties", false);
}

void write_items(JsonWriter& json, const Described& key) {
  json.member("type", "array").key("items").begin_object();
  if (key.variants.empty()) {
    write_object(json, key.keys);
  } else {
    json.member("discriminator", key.discriminator).key("oneOf").begin_array();
    for (const auto& variant : key.variants) {
      json.begin_object();
      if (!variant.help.empty()) json.member("help", variant.help);
      if (variant.later.empty()) {
        write_object(json, variant.keys);
      } else {
        json.member("later", variant.later);
      }
      write_words(json, "values", variant.values, Kind::text);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
}

void write_members(JsonWriter& json, const Described& key) {
  switch (key.kind) {
    case Kind::list:
      json.member("type", "array").key("items").begin_object();
      write_scalar(json, key);
      json.end_object();
      if (key.or_single) json.member("or_single", true);
      if (!key.default_list.empty()) {
        json.key("default").begin_array();
        for (const auto& value : key.default_list) write_value(json, value, key.type.kind);
        json.end_array();
      }
      break;
    case Kind::items:
      write_items(json, key);
      break;
    case Kind::map:
      json.member("type", "object").key("additionalProperties").begin_object();
      if (!key.keys.empty()) write_members(json, key.keys.front());
      json.end_object();
      break;
    case Kind::section:
      if (key.keys.empty()) {
        json.member("type", "object");
      } else {
        write_object(json, key.keys);
      }
      if (!key.type.choices.empty()) write_words(json, "or_word", key.type.choices, Kind::text);
      break;
    default:
      write_scalar(json, key);
      if (!key.required && !show(key.default_value, key.type.kind).empty()) {
        json.key("default");
        write_value(json, key.default_value, key.type.kind);
      }
  }
  const auto text = [&](std::string_view name, const std::string& content) {
    if (!content.empty()) json.member(name, content);
  };
  text("help", key.help);
  text("unit", key.unit);
  text("example", key.example);
  text("only_with", key.only_with);
  text("deprecated", key.deprecated);
  text("later", key.later);
}

}  // namespace

std::string schema_json(const std::vector<Described>& keys) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_object(json, keys);
  json.end_object();
  return out;
}

std::string schema_json(const SiteFiles& files) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  for (const auto& [name, file] : files.files()) {
    json.key(name).begin_object();
    if (!file.help.empty()) json.member("help", file.help);
    if (file.later.empty()) {
      write_object(json, schema_of_file(file));
    } else {
      json.member("type", "object").member("later", file.later);
    }
    json.end_object();
  }
  json.end_object();
  return out;
}

}  // namespace lightship::config
