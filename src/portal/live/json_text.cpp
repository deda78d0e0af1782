// Value by value into the string.
#include "portal/live/json_text.h"

#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/json_writer.h"

namespace lightship::portal {

namespace json = boost::json;

namespace {

template <class Integer>
void append_integer(std::string& out, Integer number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

std::string_view view(json::string_view text) { return {text.data(), text.size()}; }

}  // namespace

void append_json(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      return;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case json::kind::int64:
      return append_integer(out, value.get_int64());
    case json::kind::uint64:
      return append_integer(out, value.get_uint64());
    case json::kind::double_:
      return append_number(out, Real{value.get_double(), Real::kShortest});
    case json::kind::string:
      return append_json_string(out, view(value.get_string()));
    case json::kind::array: {
      char separator = '[';
      for (const auto& item : value.get_array()) {
        out += separator;
        append_json(out, item);
        separator = ',';
      }
      if (separator == '[') out += '[';
      out += ']';
      return;
    }
    case json::kind::object: {
      char separator = '{';
      for (const auto& [key, member] : value.get_object()) {
        out += separator;
        append_json_string(out, view(key));
        out += ':';
        append_json(out, member);
        separator = ',';
      }
      if (separator == '{') out += '{';
      out += '}';
      return;
    }
  }
}

}  // namespace lightship::portal
