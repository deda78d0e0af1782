// Cuts what is overheard on a line into frames, without having asked for any of them.
//
// Framing is by CRC: a request and an answer of the same function differ in length, both are tried,
// and the check decides. A silence is a hint and no proof, because USB adapters tear frames apart
// and glue them together. What is part of no frame comes as noise, what only looks like one as
// damaged; no byte is lost. Pure: the caller says when bytes came. Modbus over Serial Line V1.02,
// 2.5.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "codec/modbus/overheard.h"
#include "codec/modbus/pairing.h"

namespace lightship::modbus {

class Listener {
 public:
  struct Timing {
    std::chrono::nanoseconds character{};          // 0: unknown
    std::chrono::nanoseconds pause{1'750'000};     // t3.5: a frame may begin after it
    std::chrono::nanoseconds silence{50'000'000};  // nothing is still under way after it
  };

  explicit Listener(Timing timing) : timing_(timing) {}
  virtual ~Listener() = default;

  // `at`: when the newest of them was complete.
  void feed(Bytes bytes, std::chrono::nanoseconds at);

  // Nothing came for longer than `silence`, or nothing more will: what is left is told as it is.
  void flush();

  // In the order they were on the line.
  std::optional<Overheard> next();

  std::size_t undecided() const { return buffer_.size(); }
  std::chrono::nanoseconds silence() const { return timing_.silence; }

 protected:
  // Tells what can be told of the buffer; all of it when `last`.
  virtual void scan(bool last) = 0;

  Bytes part(std::size_t from, std::size_t to) const {
    return Bytes(buffer_).subspan(from, to - from);
  }
  Overheard cut(std::size_t from, std::size_t to);
  void tell(Overheard heard) { found_.push_back(std::move(heard)); }
  void drop(std::size_t count);
  bool begins_after_pause(std::size_t at) const;

  Timing timing_;
  ByteVector buffer_;
  std::deque<std::chrono::nanoseconds> ends_;  // of each byte in the buffer
  Pairing pairing_;

 private:
  std::deque<Overheard> found_;
  std::optional<std::chrono::nanoseconds> last_end_;  // of what was told last
};

namespace rtu {

class Listener final : public modbus::Listener {
 public:
  using modbus::Listener::Listener;

 private:
  enum class Found { nothing, frame, wait };

  void scan(bool last) override;
  Found look(std::size_t at, std::size_t& length) const;
  std::optional<std::size_t> ahead() const;
  void tell_rest(std::size_t to);
  std::size_t damaged_end(std::size_t from, std::size_t to) const;
  void tell_frame(std::size_t length);

  std::size_t at_ = 0;  // what is before it begins no frame
};

}  // namespace rtu

namespace ascii {

// Frames by their colon and CR LF. Up to a second may pass between two characters.
class Listener final : public modbus::Listener {
 public:
  explicit Listener(Timing timing);

 private:
  void scan(bool last) override;
  void tell_line(std::size_t length, bool whole);
};

}  // namespace ascii
}  // namespace lightship::modbus
