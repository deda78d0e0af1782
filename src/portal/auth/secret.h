// Secrets that a machine keeps: session cookies, API tokens. Random, and known here by their
// SHA-256 alone.
//
// 256 random bits need no slow hash: nobody guesses them. What a person chose does (password.h).
#pragma once

#include <string>
#include <string_view>

namespace lightship::portal {

// 256 random bits as 64 hex digits.
std::string make_secret();
// So many random bytes as hex digits: for names that are public.
std::string make_public_id(std::size_t bytes = 8);

// SHA-256 as 64 hex digits.
std::string digest_of(std::string_view secret);

// Whether the text has the form of make_secret, in lower case: what has not is not looked up.
bool is_secret(std::string_view text);

// In a time that does not tell how much was right.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace lightship::portal
