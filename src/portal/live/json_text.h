// A JSON value as text, with numbers as people write them (230.1, not 2.301E2).
#pragma once

#include <string>

#include <boost/json/value.hpp>

namespace lightship::portal {

void append_json(std::string& out, const boost::json::value& value);

}  // namespace lightship::portal
