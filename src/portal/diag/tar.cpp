// IEEE Std 1003.1, pax, "ustar Interchange Format".
#include "portal/diag/tar.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace lightship::portal {

std::string tar_entry(std::string_view name, std::string_view content, Time modified) {
  constexpr std::size_t kBlock = 512;
  std::string head(kBlock, '\0');
  const auto put = [&head](std::size_t at, std::string_view text) {
    std::memcpy(head.data() + at, text.data(), text.size());
  };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", content.size()));
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(modified.time_since_epoch()).count();
  put(136, fmt::format("{:011o}", std::max<std::int64_t>(seconds, 0)));
  put(148, "        ");  // the checksum is taken with blanks in its place
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  put(265, "root");
  put(297, "root");
  unsigned sum = 0;
  for (const unsigned char byte : head) sum += byte;
  put(148, fmt::format("{:06o}", sum));
  head[154] = '\0';
  const auto padding = (kBlock - content.size() % kBlock) % kBlock;
  return head + std::string(content) + std::string(padding, '\0');
}

std::string tar_end() { return std::string(1024, '\0'); }

}  // namespace lightship::portal
