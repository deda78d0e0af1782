// Random secrets and their digests, by libsodium.
#include "portal/auth/secret.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include <sodium.h>

namespace lightship::portal {
namespace {

constexpr std::size_t kSecretBytes = 32;

// Without a source of randomness nothing here is worth anything.
void ready() {
  static const bool done = sodium_init() >= 0;
  if (!done) std::abort();
}

std::string hex_of(const unsigned char* bytes, std::size_t count) {
  std::string text(count * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes, count);
  text.pop_back();
  return text;
}

}  // namespace

std::string make_public_id(std::size_t bytes) {
  ready();
  std::vector<unsigned char> random(bytes);
  randombytes_buf(random.data(), random.size());
  return hex_of(random.data(), random.size());
}

std::string make_secret() { return make_public_id(kSecretBytes); }

std::string digest_of(std::string_view secret) {
  ready();
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(secret.data()),
                     secret.size());
  return hex_of(digest.data(), digest.size());
}

bool is_secret(std::string_view text) {
  return text.size() == 2 * kSecretBytes && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace lightship::portal
