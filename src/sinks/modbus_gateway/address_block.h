// Who may ask: blocks of addresses such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32.
//
// An IPv4 client of a socket that serves both families arrives as ::ffff:a.b.c.d and is taken for
// what it is; ::/0 means all of IPv6 and nothing else.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "base/result.h"

namespace lightship::gateway {

class AddressBlock {
 public:
  static Result<AddressBlock> parse(std::string_view text);

  bool contains(const boost::asio::ip::address& address) const;
  bool has_host_bits() const;  // 10.1.2.3/8: the part behind the prefix is not 0
  std::string text() const;    // 10.0.0.0/8

 private:
  using Bits = boost::asio::ip::address_v6::bytes_type;  // IPv4 in the last four bytes
  Bits bits_{};
  unsigned prefix_ = 0;  // of all 128
  bool v4_ = false;
};

// No block at all means everybody.
bool allows(std::span<const AddressBlock> blocks, const boost::asio::ip::address& address);

// ::ffff:192.0.2.1 as 192.0.2.1; any other as it is.
boost::asio::ip::address without_mapping(const boost::asio::ip::address& address);

}  // namespace lightship::gateway
