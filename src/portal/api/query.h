// Parameters of a GET, checked: what is wrong is told by its name.
#pragma once

#include <charconv>
#include <optional>
#include <string>

#include "portal/http/message.h"

namespace lightship::portal {

// Reads the parameters of a request; the first that is wrong is kept as the answer to give.
class Query {
 public:
  explicit Query(const Request& request) : request_(request) {}

  std::optional<std::int64_t> number(std::string_view name, std::int64_t least, std::int64_t most);
  std::string text(std::string_view name, std::size_t most = 512);  // empty: none
  // One of these words, or the first of them.
  std::string word(std::string_view name, std::initializer_list<std::string_view> words);
  void wrong(std::string_view name, std::string message);

  const std::optional<Response>& problem() const { return problem_; }  // 422, with `errors`

 private:
  const Request& request_;
  std::optional<Response> problem_;
};

}  // namespace lightship::portal
