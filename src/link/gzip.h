// gzip (RFC 1952), to make bodies smaller.
#pragma once

#include <string>
#include <string_view>

namespace lightship::link {

std::string gzip(std::string_view plain);

}  // namespace lightship::link
