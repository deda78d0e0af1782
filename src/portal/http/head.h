// The head of an answer: status line and header fields.
#pragma once

#include <string>

#include "portal/http/message.h"

namespace lightship::portal {

// `last`: the connection is closed after it. `chunked`: the body comes in chunks. Fields that a
// handler did not set get what is safe: not stored, not guessed at, nothing run.
std::string head_of(const Response& response, bool last, bool chunked);

}  // namespace lightship::portal
