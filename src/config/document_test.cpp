// Files that are wrong as a whole: syntax, bytes, size, duplicates, secrets.
#include "config/document.h"

#include <gtest/gtest.h>

#include "config/from_text.h"

namespace lightship::config {
namespace {

struct Mail {
  std::string host;
  Secret password;
  int port = 25;
  std::map<std::string, int> sizes, more;
};
void describe(Fields& f, Mail& c) {
  f.value("host", c.host, "");
  f.value("password", c.password, "");
  f.value("port", c.port, "").between(1, 100);
  f.map("sizes", c.sizes, "");
  f.map("more", c.more, "");
}

const Vault kVault({{"mail_password", "hunter2"}, {"number", "99999"}}, {{"SITE_KEY", "k"}});

std::string said(std::string_view text) { return from_text<Mail>(text, kVault).mistakes; }
Mail mail(std::string_view text) {
  auto result = from_text<Mail>(text, kVault);
  EXPECT_EQ(result.mistakes, "");
  return std::move(result.value);
}

TEST(Document, ASyntaxErrorHasItsPlace) {
  EXPECT_EQ(said("host: a\nport: [1, 2\n"),
            "test.yaml:2:7: error: YAML: this '[' is never closed\nport: [1, 2\n      ^\n");
  EXPECT_EQ(said("sizes: {a: 1\n"),
            "test.yaml:1:8: error: YAML: this '{' is never closed\nsizes: {a: 1\n       ^\n");
  EXPECT_EQ(said("host: a: b\n"),
            "test.yaml:1:8: error: YAML: illegal map value\nhost: a: b\n       ^\n");
}

TEST(Document, ATabInTheIndentationIsCalledByItsName) {
  EXPECT_EQ(said("sizes:\n\ta: 1\n  b: 2\n"),
            "test.yaml:2:1: error: YAML: a tab in the indentation, expected blanks\n"
            "\ta: 1\n^\n");
}

TEST(Document, ASyntaxErrorDoesNotShowAPassword) {
  EXPECT_EQ(
      said("password: hunter2: x\n"),
      "test.yaml:1:18: error: YAML: illegal map value\npassword: **********\n                 ^\n");
}

TEST(Document, ADuplicateKeyIsAnErrorAndTheFirstCounts) {
  EXPECT_EQ(said("host: a\nsizes: {x: 1, x: 2}\nhost: b\n"),
            "test.yaml:2:15: error: duplicate key 'x', first in line 2\n"
            "sizes: {x: 1, x: 2}\n              ^\n"
            "test.yaml:3:1: error: duplicate key 'host', first in line 1\nhost: b\n^\n");
}

TEST(Document, ADuplicatePasswordIsAsSecretAsTheFirst) {
  EXPECT_EQ(
      said("password: hunter2\npassword: hunter3\n"),
      "test.yaml:2:1: error: duplicate key 'password', first in line 1\npassword: *******\n^\n");
}

TEST(Document, AMisspeltPasswordIsStillASecret) {
  EXPECT_EQ(said("pasword: hunter2\n"),
            "test.yaml:1:1: error: unknown key 'pasword'\npasword: *******\n^\n"
            "did you mean 'password'?\n");
}

TEST(Document, ASecretOfSeveralLinesIsMaskedToItsEnd) {
  EXPECT_EQ(said("{password: \"hun\n  ter2\", portt: 1}"),
            "test.yaml:2:10: error: unknown key 'portt'\n  ****************\n         ^\n"
            "did you mean 'port'?\n");
}

TEST(Document, ALongLineIsCutAroundTheMistake) {
  const std::string much(100, 'x');
  EXPECT_EQ(said("{host: " + much + ", prot: 7, sizes: {" + much + ": 1}}"),
            "test.yaml:1:110: error: unknown key 'prot'\n" + std::string(77, 'x') +
                ", prot: 7, sizes: {" + std::string(64, 'x') + "\n" + std::string(79, ' ') +
                "^\ndid you mean 'port'?\n");
}

TEST(Document, BytesThatAreNotUtf8AreFound) {
  EXPECT_EQ(said("host: \"\xC3\xA4\xFF\"\n"),
            "test.yaml:1:9: error: byte 0xFF is not UTF-8\nhost: \"\xC3\xA4?\"\n        ^\n");
  EXPECT_EQ(said(std::string_view("a\0b", 3)),
            "test.yaml:1:2: error: control character 0x00\na?b\n ^\n");
}

TEST(Document, ColumnsAreCountedInCharacters) {
  EXPECT_EQ(said("{host: \"Küche ☕\", prot: 7}"),
            "test.yaml:1:19: error: unknown key 'prot'\n{host: \"Küche ☕\", prot: 7}\n"
            "                  ^\ndid you mean 'port'?\n");
}

TEST(Document, AliasesThatWouldExplodeAreRefused) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i)
      bomb += std::string(i == 0 ? "*" : ",*") + static_cast<char>(c - 1);
    bomb += "]\n";
  }
  EXPECT_EQ(said(bomb),
            "test.yaml:5:35: error: more than 100000 values when aliases are followed\n"
            "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
            "                                  ^\n");
}

TEST(Document, AnAliasInsideItselfIsRefused) {
  EXPECT_EQ(said("sizes: &s {a: *s}"),
            "test.yaml:1:15: error: this alias stands inside what it repeats\n"
            "sizes: &s {a: *s}\n              ^\n");
}

TEST(Document, SixtyFourLevelsAreEnough) {
  const std::string lists = std::string(64, '[') + std::string(64, ']');
  EXPECT_EQ(said("host: " + lists),
            "test.yaml:1:70: error: nested deeper than 64 levels\n"
            "host: " +
                lists + "\n" + std::string(69, ' ') + "^\n");
  EXPECT_EQ(said("host: " + lists.substr(1, 126)),
            "test.yaml:1:7: error: host: found a list, expected a text\n"
            "host: " +
                lists.substr(1, 126) + "\n      ^\n");
  // Deep by aliases: each level holds the one before.
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 70; ++i) text += fmt::format("a{}: &a{} [*a{}]\n", i, i, i - 1);
  EXPECT_TRUE(said(text).starts_with("test.yaml:64:12: error: nested deeper than 64 levels\n"))
      << said(text);
}

TEST(Document, AFileOfMoreThanAMegabyteIsNotRead) {
  EXPECT_EQ(said(std::string(1'000'001, '#')),
            "test.yaml:1:1: error: the file is larger than 1000000 bytes\n");
}

TEST(Document, AnEmptyFileIsAnEmptyMap) {
  EXPECT_EQ(said(""), "");
  EXPECT_EQ(said("# nothing yet\n"), "");
  EXPECT_EQ(said("---\n"), "");
  EXPECT_EQ(said("\xEF\xBB\xBFhost: a\r\nport: 5\r\n"), "");
}

TEST(Document, ItsTopMustBeAMapAndItsOnly) {
  EXPECT_EQ(said("- a\n"),
            "test.yaml:1:1: error: found a list, expected a map of keys and values\n- a\n^\n");
  EXPECT_EQ(said("host: a\n---\nhost: b\n"),
            "test.yaml:3:1: error: a second document in the same file is never read\nhost: b\n^\n");
  EXPECT_EQ(said("host: a\n---\n{a: !secret x, a: 1}\n"),
            "test.yaml:3:1: error: a second document in the same file is never read\n"
            "{a: !secret x, a: 1}\n^\n");
  EXPECT_EQ(said("[a, b]: c\n"),
            "test.yaml:1:1: error: a key must be a plain word\n[a, b]: c\n^\n");
}

TEST(Document, MergeKeysWork) {
  const Mail read = mail("sizes: &base {a: 1, b: 2}\nmore: {<<: *base, b: 3}\n");
  EXPECT_EQ(read.more, (std::map<std::string, int>{{"a", 1}, {"b", 3}}));
  EXPECT_EQ(said("sizes: {<<: 5}"),
            "test.yaml:1:13: error: <<: found 5 (number), expected a map to merge\n"
            "sizes: {<<: 5}\n            ^\n");
}

TEST(Document, SecretsComeFromTheVault) {
  EXPECT_EQ(mail("password: !secret mail_password").password.reveal(), "hunter2");
  EXPECT_EQ(mail("password: !env SITE_KEY").password.reveal(), "k");
}

TEST(Document, AnUnknownSecretIsNamedWithTheRightWord) {
  EXPECT_EQ(said("password: !secret mail_pasword"),
            "test.yaml:1:11: error: no secret 'mail_pasword' in secrets.yaml\n"
            "password: !secret mail_pasword\n          ^\ndid you mean 'mail_password'?\n");
  EXPECT_EQ(from_text<Mail>("password: !secret x").mistakes,
            "test.yaml:1:11: error: no secret 'x' in secrets.yaml, which does not exist\n"
            "password: !secret x\n          ^\n");
  EXPECT_EQ(said("password: !env SITE_KEI"),
            "test.yaml:1:11: error: the environment has no variable 'SITE_KEI'\n"
            "password: !env SITE_KEI\n          ^\ndid you mean 'SITE_KEY'?\n");
}

TEST(Document, AResolvedSecretIsNeverInAMistake) {
  EXPECT_EQ(said("port: !secret mail_password"),
            "test.yaml:1:7: error: port: found (secret), expected a whole number\n"
            "port: !secret mail_password\n      ^\n");
  EXPECT_EQ(said("port: !secret number"),
            "test.yaml:1:7: error: port: found (secret), expected a whole number from 1 to 100\n"
            "port: !secret number\n      ^\n");
}

TEST(Document, AnUnknownTagIsToldTheKnownOnes) {
  EXPECT_EQ(said("password: !secrt mail_password"),
            "test.yaml:1:11: error: unknown tag '!secrt', expected !secret or !env\n"
            "password: !secrt mail_password\n          ^\ndid you mean '!secret'?\n");
}

}  // namespace
}  // namespace lightship::config
