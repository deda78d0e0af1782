// One declared key, being refined: f.value("interval", c.interval, "...").between(200ms, 1h).
//
// The member is set as soon as the key is declared; limits and the rest are checked when the whole
// expression is through (in the destructor), so that a mistake can name all that was expected.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "config/mistake.h"
#include "config/schema.h"

namespace lightship::config {

class Fields;

// A limit: a plain number (seconds for a duration, bytes for a size), a duration or a size.
class Bound {
 public:
  template <class T>
    requires std::integral<T> || std::floating_point<T>
  Bound(T number) : number_(static_cast<double>(number)) {}  // NOLINT: meant to be implicit
  template <class Rep, class Period>
  Bound(std::chrono::duration<Rep, Period> time)  // NOLINT
      : number_(std::chrono::duration<double>(time).count()) {}
  Bound(ByteSize size) : number_(static_cast<double>(size.bytes)) {}  // NOLINT
  double number() const { return number_; }

 private:
  double number_;
};

class Field {
 public:
  Field& required();                      // absent is an error
  Field& between(Bound low, Bound high);  // both included; for a list, each element
  Field& at_least(Bound low);
  Field& at_most(Bound high);
  // Less is no error, but taken as this, with a warning: for a limit that came after the key.
  Field& raised_to(ByteSize least, ByteSize& member);
  Field& sized(std::size_t least,
               std::size_t most = SIZE_MAX);  // elements, entries, or bytes of a text
  Field& one_of(std::initializer_list<std::string_view> words);
  Field& one_of(std::vector<std::string> words);
  Field& one_of_numbers(std::initializer_list<double> numbers);
  Field& pattern_id();                  // is_id of base/text.h; for a map, its keys
  Field& unique(std::string_view key);  // no two items have the same value under this key
  Field& unit(std::string_view unit);   // "s", "%": for the documents and the messages
  Field& example(std::string_view text);
  Field& deprecated(std::string_view instead);  // "use mqtt_interval": a warning where it is used
  Field& later(std::string_view part);  // checked, but without effect in this version: a note
  Field& only_with(bool fits, std::string_view what);  // "connection_type serial": else an error

  Field& differ_by(std::string_view key,
                   std::vector<Variant> variants);  // for the documents; see site.h

  bool present() const { return node_ != nullptr; }

  Field(Field&& other) noexcept : Field(static_cast<Field&>(other)) { other.owner_ = nullptr; }
  Field& operator=(const Field&) = delete;
  ~Field();

 private:
  friend class Fields;
  // One scalar that was read.
  struct Seen {
    const Node* node;
    Position at;
    std::string name;  // "timeout", "hosts[1]"
    Value value;
    bool fits = true;  // the member's type could hold it
  };

  static constexpr const char* kIdRule =
      "letters, digits, '_', '.' and '-', at most 64, starting with a letter or digit";

  Field(Fields& owner, Described described, const Node* node)
      : owner_(&owner), is_(std::move(described)), node_(node) {}
  Field(Field& other) = default;

  bool check(const Seen& seen, Mistakes& mistakes) const;
  void check_size(Mistakes& mistakes, const Position& at) const;
  void check_unique(Mistakes& mistakes, const Position& at) const;
  void or_word(std::vector<std::string> words) { is_.type.choices = std::move(words); }

  Fields* owner_;  // nothing once moved from
  Described is_;
  const Node* node_;  // nothing when absent, null or in schema mode
  std::vector<Seen> seen_;
  std::vector<std::pair<Position, std::string>> keys_;  // of a map
  bool failed_ = false, id_ = false, fits_ = true, raised_ = false;
  std::size_t least_ = 0, most_ = SIZE_MAX;
  std::string unique_;
};

}  // namespace lightship::config
