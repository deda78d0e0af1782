// The keys of one map, declared once: the same lines parse, check and document.
//
//   void describe(Fields& f, IcmpConfig& c) {
//     f.list("hosts", c.hosts, "names or addresses to probe").required();
//     f.value("interval", c.interval, "time between two probes of a host").between(200ms, 1h);
//     f.value("timeout", c.timeout, "how long to wait for the reply").between(10ms, 60s);
//     f.check(c.timeout < c.interval, "timeout", "must be shorter than interval");
//   }
//
// Reading: what the file says goes into the members, what it does not say keeps its default, and
// every mistake is collected; nothing stops at the first. Describing (schema mode): no document, no
// member is touched, defaults are taken from the members. `null` is the same as absent. Keys that
// nobody declared are errors. Declaring a key twice is allowed (two modules may read the same one).
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/field.h"
#include "config/mistake.h"
#include "config/scalar.h"
#include "config/schema.h"

namespace lightship::config {

class Document;

class Fields {
 public:
  using Describe = std::function<void(Fields&)>;

  Fields(const Document& document, Mistakes& mistakes);  // the top of a file
  Fields(const Node& map, Position at, Mistakes& mistakes);
  explicit Fields(std::vector<Described>& into);  // schema mode
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  // A scalar: bool, whole number, double, text, duration, ByteSize, Secret, enum with a table,
  // optional.
  template <Scalar T>
  Field value(std::string_view key, T& member, std::string_view help) {
    return scalar(key, help, Codec<T>::type(), Codec<T>::get(member), one_into(member));
  }

  // An enum whose table stands here: f.choice("parity", c.parity, {{"N", Parity::none}, ...},
  // "...").
  template <class E>
  Field choice(std::string_view key, E& member,
               std::initializer_list<Named<std::type_identity_t<E>>> table, std::string_view help) {
    const std::span<const Named<E>> names(table.begin(), table.size());
    return scalar(key, help, choice_type(names), name_of(names, member),
                  [&](const Value& value) { return set_choice(names, member, value); });
  }
  template <class E>
  Field choice(std::string_view key, std::optional<E>& member,
               std::initializer_list<Named<std::type_identity_t<E>>> table, std::string_view help) {
    const std::span<const Named<E>> names(table.begin(), table.size());
    return scalar(key, help, choice_type(names), member ? name_of(names, *member) : Value{},
                  [&](const Value& value) { return set_choice(names, member.emplace(), value); });
  }

  // A list of scalars; one_or_list also takes a single value for a list of one.
  template <Scalar T>
  Field list(std::string_view key, std::vector<T>& member, std::string_view help) {
    return scalars(key, help, Codec<T>::type(), values_of(member), false, list_into(member));
  }
  template <Scalar T>
  Field one_or_list(std::string_view key, std::vector<T>& member, std::string_view help) {
    return scalars(key, help, Codec<T>::type(), values_of(member), true, list_into(member));
  }

  // A nested map; an optional one is there only when the file has it.
  template <class T>
  Field section(std::string_view key, T& member, std::string_view help) {
    return section_with(key, help, [&](Fields& f) { describe(f, member); });
  }
  template <class T>
  Field section(std::string_view key, std::optional<T>& member, std::string_view help) {
    return section_with(key, help, [&](Fields& f) {
      if (f.describing()) {
        T example = member.value_or(T{});
        describe(f, example);
      } else {
        describe(f, member.emplace());
      }
    });
  }
  // A word or a nested map: `tls: auto` or `tls: {certificate: ..., key: ...}`.
  template <class T>
  Field word_or_section(std::string_view key, std::string& word, std::vector<std::string> words,
                        std::optional<T>& member, std::string_view help) {
    if (is_scalar(key)) return scalar(key, help, one_word_of(std::move(words)), {}, one_into(word));
    Field field = section(key, member, help);
    field.or_word(std::move(words));
    return field;
  }

  // A list of maps.
  template <class T>
  Field items(std::string_view key, std::vector<T>& member, std::string_view help) {
    if (!describing() && has(key)) member.clear();
    return items_with(key, help, [&](Fields& f) {
      if (f.describing()) {
        T example{};
        describe(f, example);
      } else {
        describe(f, member.emplace_back());
      }
    });
  }

  // A map whose keys are names: of scalars, of lists of scalars (or single ones), of nested maps.
  // `member` is a std::map or a vector of pairs (which keeps the order of the file), by text or
  // whole number.
  template <class Map>
  Field map(std::string_view key, Map& member, std::string_view help) {
    using Pair = typename Map::value_type;
    using Key = std::remove_const_t<typename Pair::first_type>;
    if (!describing() && has(key)) member.clear();
    return map_with(key, help, Codec<Key>::type(),
                    [&](Fields& f, const std::string& name, const Value& id) {
                      typename Pair::second_type fresh{};
                      f.any(name, fresh);
                      Key typed{};
                      if (!f.describing() && Codec<Key>::set(typed, id)) {
                        member.insert(member.end(), Pair(std::move(typed), std::move(fresh)));
                      }
                    });
  }

  // The same with the description at hand, for what is not a struct.
  Field section_with(std::string_view key, std::string_view help, const Describe& describe);
  Field items_with(std::string_view key, std::string_view help, const Describe& describe);

  // Accepted as it is, not looked into: for parts that are not built yet.
  Field anything(std::string_view key, std::string_view help);

  // Checks across keys, after they are declared. One whose key could not be read, or whose message
  // names a key that could not, says nothing: the first mistake is enough.
  void check(bool ok, std::string_view key, std::string_view message);
  void error(std::string_view key, std::string_view message);
  void warning(std::string_view key, std::string_view message);
  void note(std::string_view key, std::string_view message);

  bool describing() const { return into_ != nullptr; }
  bool has(std::string_view key) const;  // there and not null
  bool is_scalar(std::string_view key) const;
  std::optional<std::string> text(
      std::string_view key) const;  // a scalar as it is written, undeclared

  Position position() const;                      // of this map
  Position position(std::string_view key) const;  // of the value, or of this map when absent
  Position position(std::string_view key, std::string_view inner) const;  // of one in a nested map

  // Keys that stand elsewhere, by name: where a misplaced one belongs, in words for people.
  struct Elsewhere {
    std::string key, where;
  };
  void belongs(std::span<const Elsewhere> places) { elsewhere_ = places; }

  // Whether something is wrong with the key, so that what it says is not to be built upon.
  bool is_wrong(std::string_view key) const { return failed(key, {}); }

  void ignore_the_rest() { open_ended_ = true; }  // further keys are nobody's mistake
  void finish();  // reports the undeclared keys; the framework calls it after each description

 private:
  friend class Field;
  friend std::string fingerprint(const Fields& fields);
  friend std::string fingerprint(const Fields& fields, std::string_view key);

  using Put = std::function<bool(const Value&)>;
  using DescribeEntry = std::function<void(Fields&, const std::string& name, const Value& id)>;
  struct Known {
    std::string key;
    bool secret = false;
    bool failed = false;
  };

  Field scalar(std::string_view key, std::string_view help, Type type, Value fallback,
               const Put& put);
  Field scalars(std::string_view key, std::string_view help, Type type, std::vector<Value> fallback,
                bool or_single, const Put& put);
  Field map_with(std::string_view key, std::string_view help, const Type& key_type,
                 const DescribeEntry& describe);
  Field declare(std::string_view key, std::string_view help, Kind kind);
  static Type one_word_of(std::vector<std::string> words);

  void read(Field& field, const Node& node, Position at, std::string name, const Put& put);
  void settle(Field& field);  // what Field's destructor does
  void wrong_kind(Field& field, std::string expected);
  const Node* find(std::string_view key) const;
  Known& known(std::string_view key);
  bool failed(std::string_view key,
              std::string_view message) const;  // the key, or one the message names
  void report(Severity severity, std::string_view key, std::string_view message);
  void unknown_key(const std::string& key, Position at);
  Position inside(const Node& node, std::string path) const;
  std::string path_of(std::string_view key) const;

  template <Scalar T>
  static Put one_into(T& member) {
    return [&member](const Value& value) { return Codec<T>::set(member, value); };
  }
  // An empty value means: the file has the list, forget the default.
  template <Scalar T>
  static Put list_into(std::vector<T>& member) {
    return [&member](const Value& value) {
      if (!has_value(value)) return member.clear(), true;
      T fresh{};
      if (!Codec<T>::set(fresh, value)) return false;
      member.push_back(std::move(fresh));
      return true;
    };
  }
  template <Scalar T>
  static std::vector<Value> values_of(const std::vector<T>& member) {
    std::vector<Value> values;
    for (const T& element : member) values.push_back(Codec<T>::get(element));
    return values;
  }
  template <class T>
  void any(std::string_view key, T& member) {
    if constexpr (Scalar<T>) {
      value(key, member, "");
    } else if constexpr (requires { one_or_list(key, member, ""); }) {
      one_or_list(key, member, "");
    } else {
      section(key, member, "");
    }
  }

  const Node* node_ = nullptr;  // a map; nothing in schema mode
  Position at_;
  Mistakes* mistakes_ = nullptr;
  std::vector<Described>* into_ = nullptr;
  std::vector<Known> known_;
  std::span<const Elsewhere> elsewhere_;
  bool open_ended_ = false;
};

// Reads one struct from the top of a document, or describes it.
template <class T>
void read(const Document& document, T& into, Mistakes& mistakes) {
  Fields fields(document, mistakes);
  describe(fields, into);
  fields.finish();
}
template <class T>
std::vector<Described> schema_of(T defaults = {}) {
  std::vector<Described> keys;
  Fields fields(keys);
  describe(fields, defaults);
  return keys;
}

// A text that is the same as long as the map (or the value under the key) says the same, secrets
// included; nothing of them can be read from it. Order of keys, comments and style do not matter.
std::string fingerprint(const Fields& fields);
std::string fingerprint(const Fields& fields, std::string_view key);

}  // namespace lightship::config
