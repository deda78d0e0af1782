// Writes JSON into a string, member by member, without building a tree first.
//
// Exists beside Boost.JSON because that writes doubles with an exponent (2.301E2) and cannot write
// a 32-bit float by its shortest decimal or a scaled value by its decimals
// (docs/adr/0003-json-writer.md).
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "base/value.h"

namespace lightship {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth) { return raw(truth ? "true" : "false"); }
  JsonWriter& value(double number) { return value(Real{number, Real::kShortest}); }
  JsonWriter& value(const Real& number);
  JsonWriter& value(const Value& value);
  template <std::integral T>
  JsonWriter& value(T number) {
    return raw(std::to_string(number));
  }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& raw(std::string_view json);  // a finished piece of JSON

  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    key(name);
    return value(content);
  }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void comma();

  std::string& out_;
  bool first_ = true;
};

// The text between quotes, escaped; bytes that are not UTF-8 become U+FFFD, so the result is always
// JSON.
void append_json_string(std::string& out, std::string_view text);

}  // namespace lightship
