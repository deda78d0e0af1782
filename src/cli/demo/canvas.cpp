// Escapes, cutting, bars.
#include "cli/demo/canvas.h"

#include <cmath>

#include "base/text.h"

namespace lightship::cli {
namespace {

std::string_view escape(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::dim:
      return "\x1b[2m";
    case Tone::strong:
      return "\x1b[1m";
    case Tone::good:
      return "\x1b[32m";
    case Tone::bad:
      return "\x1b[1;31m";
    case Tone::accent:
      return "\x1b[36m";
  }
  return "";
}

bool begins_letter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

}  // namespace

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins_letter));
}

std::string fit(std::string_view text, std::size_t width) {
  std::size_t seen = 0, end = 0;
  for (; end < text.size(); ++end) {
    if (begins_letter(text[end]) && ++seen > width) break;
  }
  std::string cut(text.substr(0, end));
  if (seen < width) cut.append(width - seen, ' ');
  return cut;
}

Canvas& Canvas::put(std::string_view text, Tone tone) {
  const auto wide = columns(text);
  const auto shown = wide > room() ? fit(text, room()) : std::string(text);
  const bool painted = look_.colour && tone != Tone::plain;
  if (painted) line_ += escape(tone);
  line_ += shown;
  if (painted) line_ += "\x1b[0m";
  column_ += std::min(wide, room());
  return *this;
}

Canvas& Canvas::to_column(std::size_t column) {
  if (column > column_) put(std::string(column - column_, ' '));
  return *this;
}

Canvas& Canvas::put_right(std::string_view text, Tone tone) {
  const auto wide = columns(text);
  if (wide + 1 > room()) return *this;
  to_column(width() - wide);
  return put(text, tone);
}

void Canvas::end_line() {
  if (lines_left() > 0) lines_.push_back(std::move(line_));
  line_.clear();
  column_ = 0;
}

std::size_t Canvas::lines_left() const {
  const auto height = static_cast<std::size_t>(look_.height);
  return height > lines_.size() ? height - lines_.size() : 0;
}

std::vector<std::string> Canvas::take() { return std::move(lines_); }

std::string Canvas::bar(double part, std::size_t width) const {
  const auto full = static_cast<std::size_t>(
      std::lround(std::clamp(part, 0.0, 1.0) * static_cast<double>(width)));
  std::string text;
  for (std::size_t i = 0; i < width; ++i) text += i < full ? glyph("█", "#") : glyph("░", ".");
  return text;
}

std::string Canvas::sparks(const std::deque<double>& values, std::size_t width) const {
  static constexpr std::string_view kFine[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::string_view kAscii[] = {"_", "_", ".", ".", "-", "-", "^", "^"};
  const auto count = std::min(values.size(), width);
  const auto begin = values.end() - static_cast<std::ptrdiff_t>(count);
  if (count == 0) return {};
  const auto [low, high] = std::minmax_element(begin, values.end());
  std::string text;
  for (auto at = begin; at != values.end(); ++at) {
    const double part = *high > *low ? (*at - *low) / (*high - *low) : 0.5;
    const auto step = static_cast<std::size_t>(std::min(7.0, part * 8));
    text += look_.unicode ? kFine[step] : kAscii[step];
  }
  return text;
}

}  // namespace lightship::cli
