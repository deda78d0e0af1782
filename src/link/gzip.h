// gzip (RFC 1952), to make bodies smaller, and back.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace lightship::link {

std::string gzip(std::string_view plain);
// Errc::malformed where it is no gzip, is cut off, or is larger than `most` when unpacked.
Result<std::string> gunzip(std::string_view packed, std::size_t most);

}  // namespace lightship::link
