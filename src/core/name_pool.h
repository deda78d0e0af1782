// Names held once: many devices have points of the same names and units.
//
// A Name is a pointer into its pool and lives as long as that; it reads like a string_view.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace lightship {

class Name {
 public:
  Name() = default;
  const std::string& str() const { return *text_; }
  operator std::string_view() const { return *text_; }  // NOLINT(*-explicit-*): it reads like one
  bool empty() const { return text_->empty(); }
  friend bool operator==(Name a, std::string_view b) { return *a.text_ == b; }
  friend bool operator==(Name a, Name b) { return *a.text_ == *b.text_; }

 private:
  friend class NamePool;
  explicit Name(const std::string& text) : text_(&text) {}
  inline static const std::string kNothing;
  const std::string* text_ = &kNothing;
};

class NamePool {
 public:
  NamePool() = default;
  NamePool(const NamePool&) = delete;  // the names point into it
  NamePool& operator=(const NamePool&) = delete;

  Name intern(std::string_view text) {
    auto known = texts_.find(text);
    if (known == texts_.end()) known = texts_.emplace(text).first;
    return Name(*known);
  }
  std::size_t size() const { return texts_.size(); }

 private:
  std::set<std::string, std::less<>> texts_;
};

}  // namespace lightship
