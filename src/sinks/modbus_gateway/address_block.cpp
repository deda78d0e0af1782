// Compares prefixes of addresses.
#include "sinks/modbus_gateway/address_block.h"

#include <algorithm>
#include <charconv>

namespace lightship::gateway {
namespace {

namespace ip = boost::asio::ip;
constexpr unsigned kV4Offset = 96;

ip::address_v6::bytes_type wide(const ip::address& address) {
  if (address.is_v6()) return address.to_v6().to_bytes();
  ip::address_v6::bytes_type bits{};
  std::ranges::copy(address.to_v4().to_bytes(), bits.begin() + kV4Offset / 8);
  return bits;
}

// The bits of byte `at` that a prefix of that length covers.
std::uint8_t mask(unsigned prefix, unsigned at) {
  if (prefix >= 8 * (at + 1)) return 0xFF;
  if (prefix <= 8 * at) return 0;
  return static_cast<std::uint8_t>(0xFF00 >> (prefix - 8 * at));
}

}  // namespace

ip::address without_mapping(const ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

Result<AddressBlock> AddressBlock::parse(std::string_view text) {
  const auto slash = text.find('/');
  boost::system::error_code wrong;
  const auto address = ip::make_address(std::string(text.substr(0, slash)), wrong);
  if (wrong)
    return fail(Errc::invalid, "'{}' is not an address such as 10.0.0.0/8 or 2001:db8::/32", text);

  AddressBlock block;
  block.bits_ = wide(address);
  block.v4_ = address.is_v4();
  const unsigned longest = block.v4_ ? 32 : 128;
  unsigned length = longest;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc() || end != digits.data() + digits.size() || length > longest) {
      return fail(Errc::invalid, "the prefix of '{}' must be a number from 0 to {}", text, longest);
    }
  }
  block.prefix_ = block.v4_ ? kV4Offset + length : length;
  return block;
}

bool AddressBlock::contains(const ip::address& address) const {
  const auto plain = without_mapping(address);
  if (plain.is_v4() != v4_) return false;
  const auto bits = wide(plain);
  for (unsigned at = 0; at < bits.size(); ++at) {
    if (((bits[at] ^ bits_[at]) & mask(prefix_, at)) != 0) return false;
  }
  return true;
}

bool AddressBlock::has_host_bits() const {
  for (unsigned at = 0; at < bits_.size(); ++at) {
    if ((bits_[at] & ~mask(prefix_, at)) != 0) return true;
  }
  return false;
}

std::string AddressBlock::text() const {
  auto bits = bits_;
  for (unsigned at = 0; at < bits.size(); ++at) bits[at] &= mask(prefix_, at);
  if (!v4_) return fmt::format("{}/{}", ip::address_v6(bits).to_string(), prefix_);
  ip::address_v4::bytes_type last;
  std::copy_n(bits.begin() + kV4Offset / 8, last.size(), last.begin());
  return fmt::format("{}/{}", ip::address_v4(last).to_string(), prefix_ - kV4Offset);
}

bool allows(std::span<const AddressBlock> blocks, const ip::address& address) {
  return blocks.empty() || std::ranges::any_of(blocks, [&](const AddressBlock& block) {
           return block.contains(address);
         });
}

}  // namespace lightship::gateway
