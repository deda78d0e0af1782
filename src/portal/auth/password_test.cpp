// Passwords: what is refused, what is made, and what a hash is worth.
#include "portal/auth/password.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "portal/auth/secret.h"

namespace lightship::portal {
namespace {

using testing::HasSubstr;

TEST(Password, IsHashedWithArgon2idAndKnownAgain) {
  const auto hash = hash_password("lamp-on-the-water");
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
  EXPECT_TRUE(is_password_hash(*hash));
  EXPECT_TRUE(is_password("lamp-on-the-water", *hash));
  EXPECT_FALSE(is_password("lamp-on-the-wate", *hash));
  EXPECT_FALSE(is_password("", *hash));
  EXPECT_NE(*hash, *hash_password("lamp-on-the-water")) << "the salt is another each time";
}

TEST(Password, IsWrongForAUserWhoIsNotThere) { EXPECT_FALSE(is_password("anything", {})); }

TEST(Password, IsNotCheckedAgainstAHashThatCostsTooMuch) {
  EXPECT_FALSE(is_password_hash("$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaA"));
  EXPECT_FALSE(is_password_hash("$argon2id$v=19$m=19456,t=1000,p=1$c2FsdHNhbHQ$aGFzaA"));
  EXPECT_FALSE(is_password_hash("$argon2id$v=19$m=19456,t=2,p=8$c2FsdHNhbHQ$aGFzaA"));
  EXPECT_FALSE(is_password_hash("$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"));
  EXPECT_FALSE(is_password_hash("lamp-on-the-water"));
  EXPECT_FALSE(is_password_hash(""));
}

TEST(Weakness, IsFoundInWhatIsGuessedFirst) {
  for (const auto* weak :
       {"short", "elevenchars", "aaaaaaaaaaaaaaaa", "123456789012", "098765432109",
        "8675 3091 2245", "abcdefghijkl", "abcabcabcabc", "password1234", "P4ssw0rd!2024",
        "Administrator1", "qwertyuiop12", "lightship-2026", "adminadmin12", "ChangeMe2024!!",
        "letmein-letmein", "anna-anna-anna1", "annaannaanna", "ANNAMARIAPIA"}) {
    EXPECT_TRUE(weakness_of(weak, weak == std::string("ANNAMARIAPIA") ? "annamariapia" : "anna"))
        << weak;
  }
}

TEST(Weakness, IsNotFoundInAPasswordOfOnesOwn) {
  for (const auto* good : {"lamp-on-the-water", "operator-of-the-day", "Tr0mmel&Pfeife",
                           "vier Enten im Teich", "lusab-tavod-gutih", "зелёный маяк"}) {
    EXPECT_EQ(weakness_of(good, "anna"), std::nullopt) << good;
  }
}

TEST(Weakness, SaysWhatIsWrong) {
  EXPECT_EQ(weakness_of("elevenchars", "anna"), "Too short: at least 12 characters.");
  EXPECT_EQ(weakness_of("маяк-маяк", "anna"), "Too short: at least 12 characters.")
      << "characters are counted, not bytes";
  EXPECT_THAT(*weakness_of(std::string(1025, 'x'), "anna"), HasSubstr("Too long"));
}

TEST(MadePassword, CanBeReadAloudAndIsAnotherEachTime) {
  const auto one = make_password();
  EXPECT_EQ(split(one, '-').size(), 5U);
  EXPECT_EQ(one.size(), 29U);
  EXPECT_NE(one, make_password());
  EXPECT_EQ(weakness_of(one, "admin"), std::nullopt);
}

TEST(Secret, Is256BitsAndKnownByItsDigest) {
  const auto secret = make_secret();
  EXPECT_TRUE(is_secret(secret));
  EXPECT_NE(secret, make_secret());
  EXPECT_EQ(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_FALSE(is_secret(secret.substr(1)));
  EXPECT_FALSE(is_secret(std::string(64, 'G')));
}

}  // namespace
}  // namespace lightship::portal
