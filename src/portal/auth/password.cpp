// Argon2id by libsodium, and what makes a password weak.
#include "portal/auth/password.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <sodium.h>

#include "base/text.h"
#include "portal/auth/secret.h"

namespace lightship::portal {
namespace {

constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemory = std::size_t{19} << 20;

// Of a hash that somebody else made (with another cost, by a later version of this program).
constexpr unsigned kMostKib = 256 << 10, kMostPasses = 16;

void ready() { (void)make_public_id(1); }

bool is_letter(char c) { return c < 0 || std::isalpha(static_cast<unsigned char>(c)) != 0; }

// What stands between the digits and signs around it, with signs for letters undone, lower case:
// "P4ssw0rd!2024" is "password".
std::string plain(std::string_view text) {
  constexpr std::string_view kSigns = "013457@$!", kLetters = "oleastasi";
  while (!text.empty() && !is_letter(text.front())) text.remove_prefix(1);
  while (!text.empty() && !is_letter(text.back())) text.remove_suffix(1);
  auto out = to_lower(text);
  for (auto& c : out) {
    if (const auto at = kSigns.find(c); at != kSigns.npos) c = kLetters[at];
  }
  std::erase_if(out, [](char c) { return !is_letter(c); });
  return out;
}

// Its letters alone: "Summer-2024!" is "summer".
std::string letters_of(std::string_view text) {
  auto out = to_lower(text);
  std::erase_if(out, [](char c) { return !is_letter(c); });
  return out;
}

// Words that people build passwords of. What is nothing but these, signs and digits is guessed
// first: these are the stems of the longest entries of the published lists of leaked passwords.
constexpr std::array<std::string_view, 62> kStems{
    "password",      "passwort",   "passw",    "passphrase", "administrator", "admin",
    "root",          "user",       "guest",    "operator",   "viewer",        "login",
    "welcome",       "willkommen", "letmein",  "changeme",   "changethis",    "secret",
    "default",       "master",     "super",    "test",       "testing",       "temp",
    "qwertyuiop",    "qwertyui",   "qwerty",   "qwertz",     "azerty",        "asdfghjkl",
    "asdfgh",        "asdf",       "zxcvbnm",  "zxcvbn",     "qazwsxedc",     "qazwsx",
    "abcdefghijklm", "abcdefgh",   "abcdef",   "abcd",       "abc",           "iloveyou",
    "sunshine",      "princess",   "football", "baseball",   "dragon",        "monkey",
    "superman",      "batman",     "trustno",  "whatever",   "starwars",      "computer",
    "internet",      "lightship",  "gateway",  "modbus",     "raspberry",     "raspberrypi",
    "please",        "my"};

// Whether the word is stems one after the other.
bool is_made_of_stems(std::string_view word, std::string_view user) {
  std::vector<bool> reached(word.size() + 1, false);
  reached[0] = true;
  for (std::size_t at = 0; at < word.size(); ++at) {
    if (!reached[at]) continue;
    const auto step = [&](std::string_view stem) {
      if (!stem.empty() && word.substr(at).starts_with(stem)) reached[at + stem.size()] = true;
    };
    for (const auto stem : kStems) step(stem);
    step(user);
  }
  return reached[word.size()];
}

// 1 when each character is the one before it plus one, -1 for minus one: "123456789012".
bool is_a_row(std::string_view text) {
  const auto steps = [&](int by) {
    for (std::size_t at = 1; at < text.size(); ++at) {
      const int apart = text[at] - text[at - 1];
      const bool round = (text[at - 1] == '9' && text[at] == '0' && by == 1) ||
                         (text[at - 1] == '0' && text[at] == '9' && by == -1);
      if (apart != by && !round) return false;
    }
    return true;
  };
  return steps(1) || steps(-1);
}

// "abcabcabcabc".
bool repeats_itself(std::string_view text) {
  for (std::size_t unit = 1; unit <= text.size() / 2; ++unit) {
    if (text.substr(unit) == text.substr(0, text.size() - unit)) return true;
  }
  return false;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

Result<std::string> hash_password(std::string_view password) {
  ready();
  std::array<char, crypto_pwhash_STRBYTES> hash;
  if (crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), kPasses, kMemory,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    return fail(Errc::unavailable, "not enough memory to hash a password: 19 MiB are needed");
  return std::string(hash.data());
}

bool is_password(std::string_view password, const std::optional<std::string>& hash) {
  if (!hash) {
    (void)hash_password(password);
    return false;
  }
  ready();
  return is_password_hash(*hash) &&
         crypto_pwhash_str_verify(hash->c_str(), password.data(), password.size()) == 0;
}

bool is_password_hash(std::string_view text) {
  constexpr std::string_view kHead = "$argon2id$v=19$m=";
  if (!text.starts_with(kHead) || text.size() >= crypto_pwhash_STRBYTES) return false;
  if (text.find('\0') != text.npos) return false;
  const auto* at = text.data() + kHead.size();
  const auto* end = text.data() + text.size();
  const auto number = [&](unsigned most, std::string_view after) {
    unsigned value = 0;
    const auto [next, wrong] = std::from_chars(at, end, value);
    at = next;
    if (wrong != std::errc{} || value < 1 || value > most) return false;
    if (!std::string_view(at, end).starts_with(after)) return false;
    at += after.size();
    return true;
  };
  return number(kMostKib, ",t=") && number(kMostPasses, ",p=1$");
}

std::optional<std::string> weakness_of(std::string_view password, std::string_view user) {
  if (characters(password) < kShortestPassword)
    return fmt::format("Too short: at least {} characters.", kShortestPassword);
  if (password.size() > kLongestPassword)
    return fmt::format("Too long: at most {} bytes.", kLongestPassword);
  if (to_lower(password) == to_lower(user)) return "The user's name is not a password.";
  constexpr std::size_t kFewest = 5;
  if (std::set(password.begin(), password.end()).size() < kFewest)
    return fmt::format("Too simple: fewer than {} different characters.", kFewest);
  if (is_a_row(password) || repeats_itself(to_lower(password)))
    return "Too simple: it goes on as it begins.";
  if (letters_of(password).empty()) return "Too simple: nothing but digits and signs.";
  const auto name = plain(user);
  const auto bare = to_lower(user);
  if (is_made_of_stems(plain(password), name) || is_made_of_stems(letters_of(password), bare))
    return "Among the commonest passwords: words that everybody takes, with digits.";
  return std::nullopt;
}

std::string make_password() {
  ready();
  // Proquints: 16 bits as consonant, vowel, consonant, vowel, consonant.
  constexpr std::string_view kConsonants = "bdfghjklmnprstvz", kVowels = "aiou";
  std::string text;
  for (int group = 0; group < 5; ++group) {
    const auto bits = randombytes_random();
    if (group > 0) text += '-';
    text += kConsonants[bits & 15];
    text += kVowels[bits >> 4 & 3];
    text += kConsonants[bits >> 6 & 15];
    text += kVowels[bits >> 10 & 3];
    text += kConsonants[bits >> 12 & 15];
  }
  return text;
}

}  // namespace lightship::portal
