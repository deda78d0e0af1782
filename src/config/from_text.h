// A struct from a YAML text, and what was said about it: for tests of what drivers declare.
#pragma once

#include <string>
#include <string_view>

#include "config/document.h"
#include "config/fields.h"
#include "config/vault.h"

namespace lightship::config {

template <class T>
struct FromText {
  T value{};
  std::string mistakes;  // as people see them
};

template <class T>
FromText<T> from_text(std::string_view text, const Vault& vault = {}) {
  FromText<T> result;
  Mistakes mistakes;
  const Document document("test.yaml", text, vault, mistakes);
  if (!document.broken()) read(document, result.value, mistakes);
  result.mistakes = mistakes.text();
  return result;
}

}  // namespace lightship::config
