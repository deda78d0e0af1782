// Frames that were overheard, in words for people and as JSON.
#pragma once

#include <string>

#include "base/json_writer.h"
#include "codec/modbus/overheard.h"

namespace lightship::cli {

// "read 2 holding registers at 0", "4366 8000", "exception 2 (address range not served)".
std::string meaning(const modbus::Overheard& heard);

// The members that say the same to a program: function, address, count, registers, bits, exception.
void write_meaning(JsonWriter& json, const modbus::Overheard& heard);

// The bytes for people: hex, or the characters of an ASCII line.
std::string shown_bytes(const modbus::Overheard& heard, bool ascii);

}  // namespace lightship::cli
