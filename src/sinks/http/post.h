// What the endpoints share: one client with one thread, and per category who goes first.
#pragma once

#include <memory>
#include <string>

#include "sinks/http/courier.h"

namespace lightship::http {

Courier::Post post_of(Context& context);
std::shared_ptr<Precedence> precedence_of(Context& context, const std::string& category);

}  // namespace lightship::http
