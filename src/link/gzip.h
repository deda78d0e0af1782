// gzip (RFC 1952), to make bodies smaller, and back.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace lightship::link {

std::string gzip(std::string_view plain);

// The same piece by piece: what is added comes out when there is enough of it.
class GzipStream {
 public:
  GzipStream();
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  std::string add(std::string_view plain);
  std::string finish();  // once, and nothing after it

 private:
  std::string pack(std::string_view plain, int how);
  struct State;
  std::unique_ptr<State> state_;
};
// Errc::malformed where it is no gzip, is cut off, or is larger than `most` when unpacked.
Result<std::string> gunzip(std::string_view packed, std::size_t most);

}  // namespace lightship::link
