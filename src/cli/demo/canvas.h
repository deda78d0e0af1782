// Lines of a terminal: pieces of text in tones, cut to the width.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/demo/picture.h"

namespace lightship::cli {

// Columns that the text takes; every letter the demo writes is one wide.
std::size_t columns(std::string_view text);
std::string fit(std::string_view text, std::size_t width);  // cut, or filled with blanks

class Canvas {
 public:
  explicit Canvas(const Look& look) : look_(look) {}

  Canvas& put(std::string_view text, Tone tone = Tone::plain);
  Canvas& put(std::string_view text, std::size_t width, Tone tone) {
    return put(fit(text, width), tone);
  }
  Canvas& to_column(std::size_t column);
  Canvas& put_right(std::string_view text, Tone tone);  // at the right end of the line
  void end_line();

  std::size_t column() const { return column_; }
  std::size_t room() const { return width() > column_ ? width() - column_ : 0; }
  std::size_t width() const { return static_cast<std::size_t>(look_.width); }
  std::size_t lines_left() const;
  std::vector<std::string> take();

  std::string_view glyph(std::string_view fine, std::string_view ascii) const {
    return look_.unicode ? fine : ascii;
  }
  std::string bar(double part, std::size_t width) const;  // 0..1
  std::string sparks(const std::deque<double>& values, std::size_t width) const;

 private:
  Look look_;
  std::vector<std::string> lines_;
  std::string line_;
  std::size_t column_ = 0;
};

}  // namespace lightship::cli
