// Blocks of addresses: what they say, whom they let in.
#include "sinks/modbus_gateway/address_block.h"

#include <gtest/gtest.h>

namespace lightship::gateway {
namespace {

bool lets_in(std::string_view block, const char* address) {
  const auto parsed = AddressBlock::parse(block);
  return parsed && parsed->contains(boost::asio::ip::make_address(address));
}

TEST(AddressBlock, HoldsWhatSharesItsPrefix) {
  EXPECT_TRUE(lets_in("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(lets_in("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(lets_in("192.0.2.128/25", "192.0.2.129"));
  EXPECT_FALSE(lets_in("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(lets_in("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(lets_in("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(AddressBlock, AnAddressAloneIsItself) {
  EXPECT_TRUE(lets_in("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(lets_in("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(lets_in("::1", "::1"));
}

TEST(AddressBlock, TheFamiliesAreApart) {
  EXPECT_TRUE(lets_in("0.0.0.0/0", "203.0.113.1"));
  EXPECT_FALSE(lets_in("0.0.0.0/0", "2001:db8::1"));
  EXPECT_FALSE(lets_in("::/0", "203.0.113.1"));
  EXPECT_TRUE(lets_in("10.0.0.0/8", "::ffff:10.1.1.1"));
  EXPECT_FALSE(lets_in("::/0", "::ffff:10.1.1.1"));
}

TEST(AddressBlock, SaysWhatIsWrong) {
  EXPECT_EQ(AddressBlock::parse("10.0.0.0/33").error().text,
            "the prefix of '10.0.0.0/33' must be a number from 0 to 32");
  EXPECT_EQ(AddressBlock::parse("10.0.0.0/").error().text,
            "the prefix of '10.0.0.0/' must be a number from 0 to 32");
  EXPECT_EQ(AddressBlock::parse("::/129").error().text,
            "the prefix of '::/129' must be a number from 0 to 128");
  EXPECT_EQ(AddressBlock::parse("lan").error().text,
            "'lan' is not an address such as 10.0.0.0/8 or 2001:db8::/32");
}

TEST(AddressBlock, KnowsWhenItSaysTooMuch) {
  EXPECT_TRUE(AddressBlock::parse("10.1.2.3/8")->has_host_bits());
  EXPECT_EQ(AddressBlock::parse("10.1.2.3/8")->text(), "10.0.0.0/8");
  EXPECT_FALSE(AddressBlock::parse("10.0.0.0/8")->has_host_bits());
  EXPECT_EQ(AddressBlock::parse("2001:db8::/32")->text(), "2001:db8::/32");
}

TEST(AddressBlock, NoBlocksMeanEverybody) {
  EXPECT_TRUE(allows({}, boost::asio::ip::make_address("203.0.113.1")));
}

}  // namespace
}  // namespace lightship::gateway
