// Speaks on a line that carries one request at a time.
#include "sources/modbus/line_conversation.h"

#include <algorithm>

#include "codec/modbus/ascii.h"
#include "codec/modbus/reply_scanner.h"
#include "codec/modbus/rtu.h"
#include "link/serial_timing.h"

namespace lightship::poller {
namespace {

// A USB adapter hands over what it has every 16 ms, a device server when it likes: pauses inside an
// answer say nothing, so one that has begun gets this long for each further piece.
constexpr auto kPieceGrace = std::chrono::milliseconds(250);

// So long after the opening of a line an answer to a question before it may still begin, and a
// pause inside it may last: a device needs less, and an adapter collects for 16 ms.
constexpr auto kOldAnswer = std::chrono::milliseconds(100);
constexpr std::size_t kLongestPdu = 253;

// The characters of a frame with a PDU of so many bytes.
std::size_t characters_of(std::size_t pdu, LineConversation::Framing framing) {
  return framing == LineConversation::Framing::rtu ? pdu + 3 : 2 * (pdu + 2) + 3;
}

// The characters of a good answer, frame and check included; 0 where the request does not say.
std::size_t answer_characters(const modbus::Request& request, LineConversation::Framing framing) {
  const auto pdu = modbus::expected_reply_size(request).value_or(0);
  if (pdu == 0) return 0;
  return characters_of(pdu, framing);
}

Error gone(const Tally& tally, std::size_t undecided, Duration waited) {
  const auto& heard = tally.rejects;
  if (heard.crc > 0)
    return {Errc::crc, fmt::format("damaged answer ({} with a bad check)", heard.crc), 0};
  if (undecided > 0)
    return {Errc::timeout,
            fmt::format("only a part of the answer came within {}", for_people(waited)), 0};
  if (heard.unit > 0) return {Errc::timeout, "only another unit answered", 0};
  if (heard.function > 0 || heard.exception_code > 0 || heard.mismatch > 0) {
    return {Errc::timeout, "what answered was not an answer to this request", 0};
  }
  if (heard.noise_bytes > 0)
    return {Errc::timeout, fmt::format("only noise ({} bytes)", heard.noise_bytes), 0};
  if (heard.echo > 0) return {Errc::timeout, "only our own request came back", 0};
  return {Errc::timeout, fmt::format("no answer within {}", for_people(waited)), 0};
}

}  // namespace

Result<ByteVector> settled(Bytes pdu) {
  if (pdu.size() >= 2 && (pdu[0] & modbus::kExceptionBit) != 0)
    return fail(modbus::exception_error(pdu[1]));
  return ByteVector(pdu.begin(), pdu.end());
}

LineTiming line_timing(const link::SerialSettings& settings) {
  return {link::char_time(settings), link::t35(settings)};
}

LineConversation::LineConversation(std::unique_ptr<link::ByteLine> line, Clock& clock,
                                   Framing framing, LineTiming timing, modbus::Echo echo,
                                   std::shared_ptr<FrameLine> frames)
    : line_(std::move(line)),
      clock_(clock),
      framing_(framing),
      timing_(timing),
      echo_(echo),
      tap_(std::move(frames), clock) {}

// Nobody listens while nothing is asked: a line that is gone shows with the next request.
Task<void> LineConversation::serve() { co_return; }

Task<void> LineConversation::hear_out() {
  const auto longest =
      static_cast<std::int64_t>(characters_of(kLongestPdu, framing_)) * timing_.character;
  const auto last_chance = clock_.mono() + 2 * kOldAnswer + longest;
  std::array<std::uint8_t, 512> bytes;
  for (;;) {
    const auto quiet = clock_.mono() + kOldAnswer;
    // A line that is lost shows with the first request.
    const auto got = co_await line_->read_some(bytes, std::min<MonoTime>(quiet, last_chance));
    if (!got) co_return;
    tap_.stray(Bytes(bytes).first(*got));
    if (clock_.mono() >= last_chance) co_return;
  }
}

Task<Result<ByteVector>> LineConversation::ask(Ask ask, Tally& tally) {
  const ByteVector pdu = modbus::encode(ask.request);
  ByteVector frame;
  if (framing_ == Framing::rtu) {
    frame = modbus::rtu::frame(ask.unit, pdu);
  } else {
    const auto text = modbus::ascii::frame(ask.unit, pdu);
    frame.assign(text.begin(), text.end());
  }

  const auto quiet_since = std::max(line_->last_byte_at(), sent_until_);
  co_await clock_.sleep_until(quiet_since + timing_.silence + ask.pause);
  std::array<std::uint8_t, 512> dust;
  const auto stray = line_->discard(dust);
  tap_.stray(Bytes(dust).first(std::min(stray, dust.size())));
  tally.rejects.noise_bytes += static_cast<std::uint32_t>(stray);

  const auto begun = clock_.mono();
  tap_.sent(frame);
  auto written = co_await line_->write(frame);
  if (!written) co_return fail(written.error());
  sent_until_ = begun + static_cast<std::int64_t>(frame.size()) * timing_.character;

  const bool doubtful = is_doubtful(ask);
  if (framing_ == Framing::rtu) {
    modbus::rtu::ReplyScanner scanner(ask.unit, ask.request, frame, echo_);
    co_return co_await listen(scanner, ask, doubtful, tally);
  }
  modbus::ascii::ReplyScanner scanner(ask.unit, ask.request, pdu, echo_);
  co_return co_await listen(scanner, ask, doubtful, tally);
}

template <class Scanner>
Task<Result<ByteVector>> LineConversation::listen(Scanner& scanner, const Ask& ask, bool doubtful,
                                                  Tally& tally) {
  const auto wire =
      static_cast<std::int64_t>(answer_characters(ask.request, framing_)) * timing_.character;
  const auto last_chance = sent_until_ + ask.limit + wire;
  auto until = std::min<MonoTime>(sent_until_ + ask.patience + wire, last_chance);
  std::array<std::uint8_t, 512> bytes;
  for (;;) {
    auto got = co_await line_->read_some(bytes, until);
    if (!got) {
      tally.rejects += scanner.rejects();
      tap_.over(scanner.rejects(), scanner.undecided() > 0, got.error().code != Errc::timeout);
      if (got.error().code != Errc::timeout) co_return fail(got.error());
      note_owed(ask);
      co_return fail(gone(tally, scanner.undecided(), ask.patience));
    }
    tally.bytes += *got;
    tap_.heard(Bytes(bytes.data(), *got));
    scanner.feed(Bytes(bytes.data(), *got));
    const auto scan = scanner.next();
    if (scan.kind == modbus::Scan::Kind::need_more) {
      if (scanner.undecided() > 0) {
        until = std::min<MonoTime>(
            std::max<MonoTime>(until, line_->last_byte_at() + kPieceGrace + wire), last_chance);
      }
      continue;
    }
    const bool whole = scan.kind == modbus::Scan::Kind::reply;
    tap_.answered(characters_of(scan.pdu.size(), framing_), scanner.rejects().trailing_bytes,
                  scanner.rejects(), whole ? FrameFault::none : FrameFault::wrong_length);
    tally.arrived = line_->last_byte_at();
    const auto own = tally.arrived - sent_until_ -
                     static_cast<std::int64_t>(scan.pdu.size() + 3) * timing_.character;
    tally.answer_time = std::max(Duration(0), std::chrono::duration_cast<Duration>(own));
    if (!whole) {
      tally.rejects += scanner.rejects();
      co_return fail(Errc::malformed, "an answer of {} bytes, not of the length asked",
                     scan.pdu.size());
    }
    ByteVector answer(scan.pdu.begin(), scan.pdu.end());
    tally.rejects += scanner.rejects();
    if (doubtful) {
      const ByteVector sent = framing_ == Framing::rtu
                                  ? modbus::rtu::frame(ask.unit, modbus::encode(ask.request))
                                  : modbus::encode(ask.request);
      co_return co_await listen_again(ask, sent, tally);
    }
    owed_.reset();
    co_return settled(answer);
  }
}

// An answer of the same form was owed when we asked. If a second one follows, the first was the
// late one. If none does, the first is of doubtful origin and nothing is owed any more: the caller
// asks again.
Task<Result<ByteVector>> LineConversation::listen_again(const Ask& ask, Bytes sent, Tally& tally) {
  owed_.reset();
  const bool rtu = framing_ == Framing::rtu;
  Tally second;
  const auto was_sent = sent_until_;
  Result<ByteVector> answer = fail(Errc::timeout, "nothing");
  if (rtu) {
    modbus::rtu::ReplyScanner scanner(ask.unit, ask.request, sent, modbus::Echo::unknown);
    answer = co_await listen(scanner, ask, false, second);
  } else {
    modbus::ascii::ReplyScanner scanner(ask.unit, ask.request, sent, modbus::Echo::unknown);
    answer = co_await listen(scanner, ask, false, second);
  }
  sent_until_ = was_sent;
  owed_.reset();
  ++tally.late;
  tally.rejects += second.rejects;
  tally.bytes += second.bytes;
  if (answer || answer.error().code == Errc::refused) {
    tally.arrived = second.arrived;
    tally.answer_time = second.answer_time;
    co_return answer;
  }
  co_return fail(Errc::timeout, "the answer may have been to an earlier request");
}

bool LineConversation::is_doubtful(const Ask& ask) const {
  const auto* read = std::get_if<modbus::Read>(&ask.request);
  return owed_ && read != nullptr && clock_.mono() < owed_->until && owed_->unit == ask.unit &&
         owed_->function == read->function && owed_->count == read->count &&
         owed_->address != read->address;
}

void LineConversation::note_owed(const Ask& ask) {
  const auto* read = std::get_if<modbus::Read>(&ask.request);
  if (read == nullptr) return;
  // A device that has not answered after twice the longest wait will not any more.
  owed_ = Owed{ask.unit, read->function, read->address, read->count, clock_.mono() + 2 * ask.limit};
}

}  // namespace lightship::poller
