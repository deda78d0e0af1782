// Writes JSON into a string, member by member.
#include "base/json_writer.h"

#include "base/text.h"

namespace lightship {

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    if (c >= 0x80) {
      const std::size_t length = utf8_length(text);
      if (length == 0) {
        out += "\xEF\xBF\xBD";
        text.remove_prefix(1);
      } else {
        out += text.substr(0, length);
        text.remove_prefix(length);
      }
      continue;
    }
    text.remove_prefix(1);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c < 0x20 || c == 0x7F) {
          out += "\\u00";
          out += kDigits[c >> 4];
          out += kDigits[c & 15];
        } else {
          out += static_cast<char>(c);
        }
    }
  }
  out += '"';
}

JsonWriter& JsonWriter::key(std::string_view name) {
  comma();
  append_json_string(out_, name);
  out_ += ':';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  comma();
  append_json_string(out_, text);
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(const Real& number) {
  comma();
  append_number(out_, number);
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(const Value& content) {
  switch (content.index()) {
    case 1:
      return value(std::get<bool>(content));
    case 2:
      return value(std::get<std::int64_t>(content));
    case 3:
      return value(std::get<std::uint64_t>(content));
    case 4:
      return value(std::get<Real>(content));
    case 5:
      return value(std::string_view(std::get<std::string>(content)));
    default:
      return null();
  }
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  comma();
  out_ += json;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::open(char bracket) {
  comma();
  out_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

void JsonWriter::comma() {
  if (!first_) out_ += ',';
  first_ = false;
}

}  // namespace lightship
