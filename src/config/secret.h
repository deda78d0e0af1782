// A value that must not be shown: no operator prints it, whoever wants it has to say `reveal`.
#pragma once

#include <iosfwd>
#include <string>
#include <utility>

namespace lightship::config {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out,
                                  const Secret& secret);  // "(secret)" or "(none)"

 private:
  std::string value_;
};

}  // namespace lightship::config
