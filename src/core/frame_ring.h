// The last minutes of every line, byte for byte: what was sent, what came, when, and what was wrong
// with it. Always on.
//
// To keep a frame costs a header and one copy into a chunk that is there already; chunks are made
// as a line fills its share and then used again, the oldest first. All lines share `memory`
// equally. What bytes mean is a function of the driver, handed over with the line and called by
// who reads, elsewhere. Field loop only, but for FrameCopy, which belongs to who asked for it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace lightship {

struct Context;

enum class FrameWay : std::uint8_t { sent, received };

// What the driver found wrong when it was there.
enum class FrameFault : std::uint8_t {
  none,
  bad_check,     // CRC or LRC
  no_answer,     // nothing came in time: a frame without bytes
  torn,          // a part of a frame, and no more in time
  late,          // to a request that was given up
  noise,         // part of no frame
  echo,          // our own request, heard back; no error
  other_unit,    // of somebody who was not asked
  not_asked,     // not what was asked
  wrong_length,  // of the asked function, but not of the length asked
  lost_framing,  // bytes that no frame of a stream begins with
  lost_line      // the line or connection ended while an answer was due
};

struct RawFrame {
  std::uint64_t seq = 0;  // counts over all lines, from 1
  Time time{};            // sent: handed to the system; received: the read that completed it
  FrameWay way = FrameWay::sent;
  FrameFault fault = FrameFault::none;
  std::uint64_t about = 0;  // seq of the request that this belongs to; 0: not known
  Bytes bytes;
};

// A frame in words.
struct FrameWords {
  std::optional<int> unit, function;
  std::string summary;  // "read 10 holding registers from 3027"
  std::string error;    // "bad CRC"; empty: none
  // The same in a form that Wireshark knows, where that is not what is on the line; empty: it is.
  ByteVector dissected;
  bool is_frame = false;  // as a whole, be its check good or bad
};

// What the frames of a line are. `read` must take any bytes, and be quick; `request` is what
// `about` names, empty where that is gone.
struct FrameForm {
  const char* dissector = "data";  // Wireshark's name for it
  FrameWords (*read)(const RawFrame& frame, Bytes request) = nullptr;
};

// What one line has kept, oldest first, copied.
struct FrameCopy {
  std::string line;
  FrameForm form;
  std::vector<ByteVector> chunks;
  std::uint64_t newest = 0;  // of the line; 0: it is empty

  // They point into the chunks. One from before what was asked for may come first: `after` says
  // which are meant.
  std::vector<RawFrame> frames() const;
};

class FrameLine {
 public:
  static constexpr std::size_t kLongestFrame = 1024;  // the rest of a longer one is not kept

  // Returns its seq.
  std::uint64_t add(Time time, FrameWay way, Bytes bytes, FrameFault fault = FrameFault::none,
                    std::uint64_t about = 0);

  const std::string& name() const { return name_; }
  std::uint64_t bytes(FrameWay way) const { return bytes_[static_cast<std::size_t>(way)]; }  // ever
  std::size_t memory() const;

 private:
  friend class FrameRing;
  static constexpr std::size_t kChunk = 4096;
  struct Chunk {
    std::size_t used = 0;
    std::uint64_t last = 0;  // seq of its newest frame
    std::unique_ptr<std::uint8_t[]> bytes;
  };

  FrameLine(std::string name, FrameForm form, std::shared_ptr<std::uint64_t> seq)
      : name_(std::move(name)), form_(form), seq_(std::move(seq)) {}
  Chunk* room_for(std::size_t size);
  void shrink_to(std::size_t chunks);

  std::string name_;
  FrameForm form_;
  std::shared_ptr<std::uint64_t> seq_;  // of all lines
  std::deque<Chunk> chunks_;            // the oldest first
  std::size_t most_ = 0;                // chunks
  std::uint64_t bytes_[2] = {0, 0};     // by way
};

class FrameRing {
 public:
  static constexpr std::size_t kMemory = 4'000'000;
  static constexpr std::size_t kMostOfLine = 512 * 1024;

  static std::shared_ptr<FrameRing> of(Context& context);

  void set_memory(std::size_t bytes);
  // The line of this name: what it had is kept when its owner is another one now (a restart).
  std::shared_ptr<FrameLine> enter(const std::string& name, FrameForm form);
  // Lines that nobody holds are gone, and give their share back.
  void forget_unowned();

  std::vector<std::string> lines() const;
  // What came after `after` and a little of before, whole chunks. Nothing: there is no such line.
  std::optional<FrameCopy> copy(const std::string& line, std::uint64_t after = 0) const;
  std::size_t memory() const;

 private:
  void share();

  std::size_t memory_ = kMemory;
  std::shared_ptr<std::uint64_t> seq_ = std::make_shared<std::uint64_t>(0);
  std::map<std::string, std::shared_ptr<FrameLine>> lines_;
};

}  // namespace lightship
