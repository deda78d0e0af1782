// What is wrong with the configuration, all of it at once, each with the place and the right word.
//
// Mistakes keeps the lines of every file it was told of, so that whoever knows a Position (a field
// being read, or a check across files much later) gets the line and the caret for nothing. Lines
// and columns count from 1, columns in characters. A line never shows a secret: what was read as
// one is masked in the kept lines and in the mistakes already taken.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lightship {
class JsonWriter;
}

namespace lightship::config {

enum class Severity { error, warning, note };

std::string_view to_string(Severity severity);

// A place in a file; structs may keep one to be able to point at it later.
struct Position {
  std::string file;  // as shown to people: the name within the configuration directory
  int line = 1;
  int column = 1;
  std::string path;  // "connections[0].clients[1].unit_id"

  friend bool operator==(const Position&, const Position&) = default;
};

struct Mistake {
  Severity severity = Severity::error;
  std::string file;
  int line = 1;
  int column = 1;
  std::string path;
  std::string message;   // complete in itself: names the key, what was found and what was expected
  std::string found;     // "'fast' (text)"; "(secret)" where it is one
  std::string expected;  // "a number from 1 to 247", or the allowed words
  std::string suggestion;   // the right word, where it can be guessed
  std::string source_line;  // long lines are cut around the column
  int source_column = 1;    // the column within source_line

  Position position() const { return {file, line, column, path}; }
};

class Mistakes {
 public:
  // Who has this many has enough to do; further ones are only counted.
  static constexpr std::size_t kMost = 500;

  // The new mistake, to be completed at once (found, expected, suggestion); valid until the next
  // one.
  Mistake& error(const Position& at, std::string message) {
    return add(Severity::error, at, std::move(message));
  }
  Mistake& warning(const Position& at, std::string message) {
    return add(Severity::warning, at, std::move(message));
  }
  Mistake& note(const Position& at, std::string message) {
    return add(Severity::note, at, std::move(message));
  }
  Mistake& add(Severity severity, const Position& at, std::string message);

  bool has_errors() const { return errors_ > 0; }
  bool full() const { return taken_.size() >= kMost; }
  std::size_t left_out() const { return left_out_; }

  // By file, line and column; what an alias made us find twice is there once.
  std::vector<Mistake> sorted() const;

  // "file:line:col: error: message", the line, a caret and "did you mean 'X'?".
  std::string text() const;
  std::string text(Severity only) const;
  void write_json(JsonWriter& json) const;  // the array `mistakes` of `check --json`

  // The text of a file that positions will point into.
  void know_source(const std::string& file, std::string_view text);
  void forget_source(const std::string& file) {
    lines_.erase(file);
  }  // its lines are nobody's business

  // Stars over the secret that starts at `at`; `text` is its value, as far as it stands there
  // literally.
  void mask(const Position& at, std::string_view text);

 private:
  void quote_source(Mistake& mistake) const;

  std::map<std::string, std::vector<std::string>> lines_;
  std::vector<Mistake> taken_;
  Mistake overflow_;
  std::size_t errors_ = 0;
  std::size_t left_out_ = 0;
};

std::string to_text(const Mistake& mistake);

}  // namespace lightship::config
