// What the declarations say about the keys of a map: help, type, default, limits; no document
// needed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/scalar.h"

namespace lightship::config {

struct Described;

// One kind of item in a list whose items differ by the value of a key (connection_type).
struct Variant {
  std::vector<std::string> values;
  std::string help;
  std::string later;  // not built yet: accepted, not looked into
  std::vector<Described> keys;
};

struct Described {
  std::string key;
  std::string help;
  Type type;               // of the value, or of the elements of a list or map of scalars
  Kind kind = Kind::text;  // list, map, section and items, or the same as type.kind
  bool or_single = false;  // a list that may also be one value
  Value default_value;
  std::vector<Value> default_list;
  std::optional<double> minimum, maximum;  // seconds for durations, bytes for sizes
  std::string unit, example, deprecated, later, only_with;
  bool required = false;
  std::vector<Described> keys;  // of a section, of each item, of each value of a map
  std::string discriminator;    // for items that differ
  std::vector<Variant> variants;
};

}  // namespace lightship::config
