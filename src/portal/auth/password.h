// Passwords: hashed with Argon2id (RFC 9106), made, and judged.
//
// 19 MiB and two passes, the least that OWASP's Password Storage Cheat Sheet asks for: a gateway
// with 512 MB of memory can spare that for the tenth of a second of a log-in, and one at a time is
// all that is ever hashed. Twelve characters at least make up for what a bigger cost would add.
// Blocking: for a Worker.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace lightship::portal {

constexpr std::size_t kShortestPassword = 12;   // characters
constexpr std::size_t kLongestPassword = 1024;  // bytes

// "$argon2id$v=19$m=19456,t=2,p=1$...". Errc::unavailable: not enough memory.
Result<std::string> hash_password(std::string_view password);

// Whether it is the password of that hash. Without a hash it takes as long and is false: so nobody
// learns by the time which users there are.
bool is_password(std::string_view password, const std::optional<std::string>& hash);

// Whether this is a hash of ours, and checking it takes no more than a bounded time and memory.
bool is_password_hash(std::string_view text);

// What is wrong with it as a password of that user, as a sentence; nothing: it will do.
std::optional<std::string> weakness_of(std::string_view password, std::string_view user);

// 80 random bits that can be read aloud: "lusab-tavod-gutih-nosub-dipoj" (proquints).
std::string make_password();

}  // namespace lightship::portal
