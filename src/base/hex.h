// Bytes as hex text and back.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace lightship {

// "01 03 00": upper-case pairs, one blank between them; `separator` 0 writes none.
std::string to_hex(Bytes bytes, char separator = ' ');

// Pairs of hex digits in either case; blanks between pairs are passed over. An odd digit or any
// other character is malformed.
Result<ByteVector> from_hex(std::string_view text);

// For literals in tests and tables: aborts on text that is not hex.
ByteVector hex(std::string_view text);

}  // namespace lightship
