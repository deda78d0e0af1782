// Bytes as hex text and back.
#include "base/hex.h"

#include <cstdlib>

namespace lightship {
namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_hex(Bytes bytes, char separator) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  text.reserve(bytes.size() * 3);
  for (const auto byte : bytes) {
    if (separator != 0 && !text.empty()) text += separator;
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Result<ByteVector> from_hex(std::string_view text) {
  ByteVector bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const int high = digit(text[at]);
    if (high < 0) return fail(Errc::malformed, "'{}' at {} is not a hex digit", text[at], at);
    if (at + 1 >= text.size()) return fail(Errc::malformed, "odd number of hex digits");
    const int low = digit(text[at + 1]);
    if (low < 0)
      return fail(Errc::malformed, "'{}' at {} is not a hex digit", text[at + 1], at + 1);
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
    at += 2;
  }
  return bytes;
}

ByteVector hex(std::string_view text) {
  auto bytes = from_hex(text);
  if (!bytes) std::abort();
  return *bytes;
}

}  // namespace lightship
