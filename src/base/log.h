// Logs: an event in constant words, the rest in fields, so that it can be searched and counted.
//
// A Logbook owns where lines go, their form (text or JSON lines) and the level of each component; a
// Log is a component's pen. Equal lines within a window are written once and then counted
// ("repeated"). Thread safe. `error` asks for a person, `warn` says we are handling it, `info` is
// the life of the daemon, `debug` each message.
#pragma once

#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/log_ring.h"

namespace lightship {

std::string_view to_string(Level level);
std::optional<Level> parse_level(
    std::string_view text);  // any case; WARNING and CRITICAL are known too

struct LogField {
  std::string_view key;
  std::string value;
  bool bare = false;  // a number or a truth: no quotes in JSON
};

template <class T>
LogField field(std::string_view key, const T& value) {
  constexpr bool bare = std::is_arithmetic_v<T>;
  return {key, fmt::format("{}", value), bare};
}

class Logbook {
 public:
  enum class Form { text, json };
  Logbook(Clock& clock, std::FILE* out, Form form, Level level);
  ~Logbook();
  Logbook(const Logbook&) = delete;
  Logbook& operator=(const Logbook&) = delete;

  void set_level(Level level);  // of every component without its own
  void set_level(std::string_view component, std::optional<Level> level);
  Level level() const { return static_cast<Level>(level_.load(std::memory_order_relaxed)); }
  void more_talkative(int steps);  // +1 towards debug, -1 towards error

  // Written whatever the level is: the answer to someone who turned a knob.
  void note(std::string_view event, std::string_view what);

  // Writes what folding still holds back; called once a second and before the end.
  void flush(bool all = false);

  // The newest lines, for who looks later.
  const LogRing& ring() const { return ring_; }

  std::uint64_t lines(Level level) const {
    return lines_[static_cast<int>(level)].load(std::memory_order_relaxed);
  }

 private:
  friend class Log;
  struct Component {
    std::string name;
    std::atomic<int> own_level{-1};  // -1: the logbook's
  };
  struct Rendered {
    std::string shown, members;  // as it is written, as JSON; `shown` is empty where they are equal
  };
  struct Folded {
    MonoTime since;
    std::uint64_t shown = 0, repeats = 0;
    Level level;
    std::string component, event;
    Rendered fields;
  };
  Component& component(std::string_view name);
  bool wants(const Component& component, Level level) const;
  void write(const std::string& source, Level level, std::string_view event,
             std::span<const LogField> fields);
  void put(Level level, std::string_view source, std::string_view event, const Rendered& fields,
           std::uint64_t repeats);
  Rendered render(std::span<const LogField> fields) const;

  Clock& clock_;
  std::FILE* out_;
  Form form_;
  std::atomic<int> level_;
  std::atomic<std::uint64_t> lines_[4]{};
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Component>, std::less<>> components_;
  std::map<std::string, Folded, std::less<>> folded_;
  std::map<std::string, std::string, std::less<>> newest_;  // of each source, as folding knows it
  LogRing ring_;
};

class Log {
 public:
  // "modbus/main-panel": the part before the first '/' is the component that has the level.
  Log(Logbook& book, std::string source);

  template <class... F>
  void debug(std::string_view event, const F&... fields) {
    write(Level::debug, event, fields...);
  }
  template <class... F>
  void info(std::string_view event, const F&... fields) {
    write(Level::info, event, fields...);
  }
  template <class... F>
  void warn(std::string_view event, const F&... fields) {
    write(Level::warn, event, fields...);
  }
  template <class... F>
  void error(std::string_view event, const F&... fields) {
    write(Level::error, event, fields...);
  }

  bool wants(Level level) const { return book_->wants(*component_, level); }

 private:
  template <class... F>
  void write(Level level, std::string_view event, const F&... fields) {
    if (!wants(level)) return;
    const std::array<LogField, sizeof...(F)> all{fields...};
    book_->write(source_, level, event, all);
  }

  Logbook* book_;
  Logbook::Component* component_;
  std::string source_;
};

}  // namespace lightship
