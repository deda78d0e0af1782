// The peer in tests: what it expects to hear, and what it then says.
//
//   ScriptedLink link(clock);
//   link.expects("01 03 00 00 00 02 C4 0B").answers("01 03 04 43 66 80 00 6E 68");
//   link.expects("01 03 00 00 00 02 C4 0B").after(20ms).hangs_up();
//   auto line = link.open();
//
// The script belongs to the link and goes on when the line is opened again. An answer comes in two
// bites, as on a real line. A write that is not the next one expected fails the test with both
// frames, and so does a script that was not played to its end. For GoogleTest programs only.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/hex.h"
#include "base/manual_clock.h"
#include "link/byte_line.h"

namespace lightship::link {

class ScriptedLink {
 public:
  // One thing heard and what follows it.
  class Exchange {
   public:
    Exchange& answers(std::string_view hex_text);     // several make one answer after the other
    Exchange& after(std::chrono::nanoseconds pause);  // before what is named next
    Exchange& in_bites(std::size_t count,
                       std::chrono::nanoseconds gap = {});  // of the answers named next
    Exchange& stays_silent() { return *this; }
    Exchange& hangs_up();

   private:
    friend class ScriptedLink;
    struct Piece {
      std::chrono::nanoseconds pause;  // since the piece before
      ByteVector bytes;
      bool hang_up = false;
    };
    std::optional<ByteVector> expected_;  // nothing: speaks without being asked
    std::deque<Piece> pieces_;
    std::chrono::nanoseconds pause_{};
    std::size_t bites_ = 2;
    std::chrono::nanoseconds gap_{};
  };

  explicit ScriptedLink(ManualClock& clock, std::string name = "script");
  ~ScriptedLink();  // fails the test when something expected was not heard
  ScriptedLink(const ScriptedLink&) = delete;
  ScriptedLink& operator=(const ScriptedLink&) = delete;

  Exchange& expects(std::string_view hex_text);
  // Without being asked: when the line is opened, or after the exchange before it, plus the pause.
  Exchange& says(std::string_view hex_text, std::chrono::nanoseconds pause = {});
  void refuses(Error error);  // the next `open` fails with this
  void has_message_boundaries() { message_boundaries_ = true; }

  Result<std::unique_ptr<ByteLine>> open();
  Task<Result<std::unique_ptr<ByteLine>>> dial();  // the same as a Task

  std::size_t opened() const { return opened_; }
  bool done() const { return script_.empty(); }
  std::size_t discarded() const { return discarded_; }

 private:
  class Line;

  ManualClock& clock_;
  std::string name_;
  std::deque<Exchange> script_;
  std::deque<Error> refusals_;
  Line* line_ = nullptr;
  bool message_boundaries_ = false;
  std::size_t opened_ = 0;
  std::size_t discarded_ = 0;
};

// The end we hold. Whatever arrives is laid out in time when it is caused; reading waits for it.
class ScriptedLink::Line final : public ByteLine {
 public:
  Line(asio::any_io_executor executor, ScriptedLink& link)
      : link_(link), wake_(std::move(executor), asio::steady_timer::time_point::max()) {
    link_.line_ = this;
    speak();
  }
  ~Line() override {
    close();
    if (link_.line_ == this) link_.line_ = nullptr;
  }

  Task<Result<void>> write(Bytes bytes) override {
    if (!open_) co_return fail(Errc::closed, "closed by us");
    if (hung_up()) co_return fail(Errc::closed, "the peer hung up");
    auto& script = link_.script_;
    if (script.empty() || !std::ranges::equal(*script.front().expected_, bytes)) {
      ADD_FAILURE() << link_.name_ << " heard " << to_hex(bytes) << "\n  expected "
                    << (script.empty() ? "nothing more" : to_hex(*script.front().expected_));
      co_return Result<void>{};  // the peer does not understand, and stays silent
    }
    play(std::move(script.front()));
    script.pop_front();
    speak();
    wake_.cancel();
    co_return Result<void>{};
  }

  Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into, MonoTime until) override {
    for (;;) {
      if (!open_) co_return fail(Errc::closed, "closed by us");
      if (hung_up()) co_return fail(Errc::closed, "the peer hung up");
      if (arrived()) co_return take(into);
      const auto now = link_.clock_.mono();
      if (now >= until) co_return fail(Errc::timeout, "nothing came");

      const auto next = coming_.empty() ? until : std::min(until, coming_.front().when);
      ticket_ = link_.clock_.call_at(next, [this] { wake_.cancel(); });
      boost::system::error_code ended;
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ended));
      link_.clock_.forget(ticket_);
      const auto told = co_await asio::this_coro::cancellation_state;
      if (told.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(ended);
    }
  }

  std::size_t discard(std::span<std::uint8_t> first = {}) override {
    std::size_t dropped = 0;
    while (arrived()) {
      dropped += coming_.front().bytes.size();
      const auto told = std::min(first.size(), coming_.front().bytes.size());
      std::copy_n(coming_.front().bytes.begin(), told, first.begin());
      first = first.subspan(told);
      last_byte_at_ = coming_.front().when;
      coming_.pop_front();
    }
    link_.discarded_ += dropped;
    return dropped;
  }

  MonoTime last_byte_at() const override { return last_byte_at_; }
  std::string_view name() const override { return link_.name_; }
  bool message_boundaries() const override { return link_.message_boundaries_; }
  bool is_open() const override { return open_; }
  void close() override {
    open_ = false;
    link_.clock_.forget(ticket_);
    wake_.cancel();
  }

 private:
  struct Bite {
    MonoTime when;
    ByteVector bytes;
    bool hang_up;
  };

  bool due() const { return !coming_.empty() && coming_.front().when <= link_.clock_.mono(); }
  bool arrived() const { return due() && !coming_.front().hang_up; }
  bool hung_up() const { return due() && coming_.front().hang_up; }

  std::size_t take(std::span<std::uint8_t> into) {
    auto& bite = coming_.front();
    const auto count = std::min(into.size(), bite.bytes.size());
    std::ranges::copy_n(bite.bytes.begin(), static_cast<std::ptrdiff_t>(count), into.begin());
    last_byte_at_ = bite.when;
    bite.bytes.erase(bite.bytes.begin(), bite.bytes.begin() + static_cast<std::ptrdiff_t>(count));
    // A datagram's rest is lost, as the kernel does it.
    if (bite.bytes.empty() || link_.message_boundaries_) coming_.pop_front();
    return count;
  }

  void play(Exchange exchange) {
    // What follows comes after what is still on its way.
    auto when = std::max(link_.clock_.mono(), coming_.empty() ? MonoTime{} : coming_.back().when);
    for (auto& piece : exchange.pieces_) {
      when += piece.pause;
      coming_.push_back({when, std::move(piece.bytes), piece.hang_up});
    }
  }

  void speak() {
    while (!link_.script_.empty() && !link_.script_.front().expected_) {
      play(std::move(link_.script_.front()));
      link_.script_.pop_front();
    }
  }

  ScriptedLink& link_;
  asio::steady_timer wake_;
  ManualClock::Ticket ticket_{};
  std::deque<Bite> coming_;
  MonoTime last_byte_at_{};
  bool open_ = true;
};

inline ScriptedLink::ScriptedLink(ManualClock& clock, std::string name)
    : clock_(clock), name_(std::move(name)) {}

inline ScriptedLink::~ScriptedLink() {
  for (const auto& exchange : script_)
    if (exchange.expected_)
      ADD_FAILURE() << name_ << " never heard " << to_hex(*exchange.expected_);
}

inline ScriptedLink::Exchange& ScriptedLink::expects(std::string_view hex_text) {
  auto& exchange = script_.emplace_back();
  exchange.expected_ = hex(hex_text);
  return exchange;
}

inline ScriptedLink::Exchange& ScriptedLink::says(std::string_view hex_text,
                                                  std::chrono::nanoseconds pause) {
  return script_.emplace_back().after(pause).answers(hex_text);
}

inline void ScriptedLink::refuses(Error error) { refusals_.push_back(std::move(error)); }

inline Result<std::unique_ptr<ByteLine>> ScriptedLink::open() {
  ++opened_;
  if (!refusals_.empty()) {
    auto error = std::move(refusals_.front());
    refusals_.pop_front();
    return fail(std::move(error));
  }
  return std::make_unique<Line>(clock_.loop().get_executor(), *this);
}

inline Task<Result<std::unique_ptr<ByteLine>>> ScriptedLink::dial() { co_return open(); }

inline ScriptedLink::Exchange& ScriptedLink::Exchange::answers(std::string_view hex_text) {
  const auto whole = hex(hex_text);
  const auto bites = std::clamp<std::size_t>(bites_, 1, std::max<std::size_t>(whole.size(), 1));
  for (std::size_t bite = 0; bite < bites; ++bite) {
    const auto from = whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * bite / bites);
    const auto to = whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * (bite + 1) / bites);
    pieces_.push_back({bite == 0 ? std::exchange(pause_, {}) : gap_, ByteVector(from, to)});
  }
  return *this;
}

inline ScriptedLink::Exchange& ScriptedLink::Exchange::after(std::chrono::nanoseconds pause) {
  pause_ += pause;
  return *this;
}

inline ScriptedLink::Exchange& ScriptedLink::Exchange::in_bites(std::size_t count,
                                                                std::chrono::nanoseconds gap) {
  bites_ = count;
  gap_ = gap;
  return *this;
}

inline ScriptedLink::Exchange& ScriptedLink::Exchange::hangs_up() {
  pieces_.push_back({std::exchange(pause_, {}), {}, true});
  return *this;
}

}  // namespace lightship::link
