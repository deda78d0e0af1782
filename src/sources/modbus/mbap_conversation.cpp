// Asks with transaction ids; one reader hands the answers out.
#include "sources/modbus/mbap_conversation.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "codec/modbus/mbap.h"

namespace lightship::poller {

// As many answers as a device may owe (`in_flight`) are often there at once.
constexpr std::size_t kAnswersAtOnce = 16;

MbapConversation::MbapConversation(std::unique_ptr<link::ByteLine> line, Clock& clock,
                                   asio::any_io_executor executor,
                                   std::shared_ptr<FrameLine> frames)
    : line_(std::move(line)),
      clock_(clock),
      executor_(std::move(executor)),
      frames_(std::move(frames)) {}

MbapConversation::~MbapConversation() { close(); }

void MbapConversation::close() {
  line_->close();
  end_all({Errc::closed, fmt::format("{} was closed", line_->name()), 0});
}

Task<Result<ByteVector>> MbapConversation::ask(Ask ask, Tally& tally) {
  if (!line_->is_open()) co_return fail(Errc::closed, "{} is closed", line_->name());
  if (ask.pause.count() > 0) co_await clock_.sleep_until(line_->last_byte_at() + ask.pause);
  while (open_.contains(++last_transaction_)) {
  }
  const auto transaction = last_transaction_;
  Open me{ask, tally, asio::steady_timer(executor_, MonoTime::max()), std::nullopt};
  open_.emplace(transaction, &me);
  struct Leaves {
    std::map<std::uint16_t, Open*>& open;
    std::uint16_t transaction;
    ~Leaves() { open.erase(transaction); }
  } const leaves{open_, transaction};
  tally.late += std::exchange(late_, 0);

  const auto begun = clock_.mono();
  if (line_->message_boundaries()) {
    ByteVector frame;
    modbus::mbap::append_frame(frame, transaction, ask.unit, ask.request);
    keep_sent(frame);
    auto written = co_await line_->write(frame);
    if (!written) {
      if (written.error().code == Errc::closed) close();
      co_return fail(written.error());
    }
  } else {
    modbus::mbap::append_frame(outgoing_, transaction, ask.unit, ask.request);
    pipelined_ = pipelined_ || open_.size() > 1;
    if (!sending_) {
      auto written = co_await send_waiting();
      if (!written) co_return fail(written.error());
    }
  }

  const auto limit = begun + ask.patience;
  // Expiry is set on the injected clock's timeline, which is the steady clock's outside of tests.
  me.called.expires_at(limit);
  while (!me.answer && clock_.mono() < limit && line_->is_open()) {
    boost::system::error_code woken;
    co_await me.called.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
  }
  if (me.answer) {
    const auto took = std::chrono::duration_cast<Duration>(tally.arrived - begun);
    if (*me.answer || me.answer->error().code == Errc::refused)
      tally.answer_time = std::max(Duration(0), took);
    co_return std::move(*me.answer);
  }
  if (!line_->is_open()) co_return fail(Errc::closed, "{} was closed", line_->name());
  keep({}, FrameFault::no_answer, me.frame);
  if (tally.rejects.unit > 0) co_return fail(Errc::timeout, "only another unit answered");
  if (tally.rejects.function > 0)
    co_return fail(Errc::timeout, "only another function was answered");
  co_return fail(Errc::timeout, "no answer within {}", for_people(ask.patience));
}

// Whoever asks first sends for all that ask in the same turn of the loop.
Task<Result<void>> MbapConversation::send_waiting() {
  struct Sends {
    bool& sending;
    explicit Sends(bool& is) : sending(is) { sending = true; }
    ~Sends() { sending = false; }
  } const sends(sending_);
  if (pipelined_) co_await asio::post(executor_, asio::use_awaitable);
  while (!outgoing_.empty()) {
    // Both keep their room, so that a request allocates nothing.
    leaving_.clear();
    std::swap(leaving_, outgoing_);
    keep_sent(leaving_);
    auto written = co_await line_->write(leaving_);
    if (written) continue;
    // Part of a request may be on its way, so nothing that follows would be understood.
    line_->close();
    outgoing_.clear();
    end_all(written.error());
    co_return written;
  }
  co_return Result<void>{};
}

Task<void> MbapConversation::serve() {
  std::array<std::uint8_t, kAnswersAtOnce * modbus::mbap::kMaxAdu> buffer;
  std::size_t held = 0;
  while (line_->is_open()) {
    auto got = co_await line_->read_some(std::span(buffer).subspan(held), MonoTime::max());
    if (!got) {
      if (got.error().code == Errc::timeout) continue;
      if (got.error().code == Errc::unavailable) {
        end_all(got.error());
        continue;
      }
      keep({}, FrameFault::lost_line);
      line_->close();
      end_all(got.error());
      co_return;
    }
    held += *got;
    std::size_t used = 0;
    bool broken = false;
    for (;;) {
      auto adu = modbus::mbap::next_adu(Bytes(buffer.data() + used, held - used));
      if (!adu) {
        broken = adu.error().code == Errc::malformed;
        if (broken || (line_->message_boundaries() && used < held))
          keep(Bytes(buffer.data() + used, held - used), FrameFault::lost_framing);
        if (broken && !line_->message_boundaries()) {
          end_all(
              {Errc::malformed,
               fmt::format("{}: the stream lost its framing: {}", line_->name(), adu.error().text),
               0});
          line_->close();
          co_return;
        }
        break;
      }
      const auto asked = open_.find(adu->transaction);
      const auto about = asked == open_.end() ? 0 : asked->second->frame;
      const auto fault = take(adu->transaction, adu->unit, adu->pdu);
      keep(Bytes(buffer.data() + used, adu->size), fault, about);
      used += adu->size;
    }
    // A datagram stands for itself: what is left of it belongs to nothing.
    if (line_->message_boundaries()) used = held;
    std::memmove(buffer.data(), buffer.data() + used, held - used);
    held -= used;
  }
}

void MbapConversation::keep(Bytes bytes, FrameFault fault, std::uint64_t about) {
  if (frames_) frames_->add(clock_.now(), FrameWay::received, bytes, fault, about);
}

void MbapConversation::keep_sent(Bytes frames) {
  if (!frames_) return;
  const auto now = clock_.now();
  while (const auto adu = modbus::mbap::next_adu(frames)) {
    const auto seq = frames_->add(now, FrameWay::sent, frames.first(adu->size));
    if (const auto asked = open_.find(adu->transaction); asked != open_.end())
      asked->second->frame = seq;
    frames = frames.subspan(adu->size);
  }
}

// Who asked gets it; what it was is for the ring.
FrameFault MbapConversation::take(std::uint16_t transaction, std::uint8_t unit, Bytes pdu) {
  const auto found = open_.find(transaction);
  if (found == open_.end()) {
    ++late_;
    return FrameFault::late;
  }
  auto& open = *found->second;
  open.tally.bytes += pdu.size() + modbus::mbap::kHeader;
  if (open.answer) return FrameFault::not_asked;
  if (unit != open.ask.unit && unit != open.ask.answers_as) {
    ++open.tally.rejects.unit;
    return FrameFault::other_unit;
  }
  auto fault = FrameFault::none;
  switch (modbus::judge(open.ask.request, pdu)) {
    case modbus::Verdict::good:
      open.tally.arrived = line_->last_byte_at();
      open.answer = settled(pdu);
      break;
    case modbus::Verdict::length:
      ++open.tally.rejects.length;
      fault = FrameFault::wrong_length;
      open.answer =
          fail(Errc::malformed, "an answer of {} bytes, not of the length asked", pdu.size());
      break;
    case modbus::Verdict::function:
      ++open.tally.rejects.function;
      return FrameFault::not_asked;
    case modbus::Verdict::exception_code:
      ++open.tally.rejects.exception_code;
      return FrameFault::not_asked;
    case modbus::Verdict::mismatch:
      ++open.tally.rejects.mismatch;
      return FrameFault::not_asked;
  }
  open.called.cancel();
  return fault;
}

void MbapConversation::end_all(const Error& why) {
  for (auto& [transaction, open] : open_) {
    if (!open->answer) open->answer = fail(why);
    open->called.cancel();
  }
}

}  // namespace lightship::poller
