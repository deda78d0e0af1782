// Copies a line's bytes on the field loop; reads, searches and writes them here, a part at a time.
#include "portal/api/frames.h"

#include <malloc.h>

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/json/parse.hpp>

#include "base/hex.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/version.h"
#include "core/frame_ring.h"
#include "portal/api/query.h"
#include "portal/pcapng.h"
#include "portal/turns.h"
#include "portal/view_json.h"

namespace lightship::portal {
namespace {

constexpr std::size_t kUsual = 500, kMost = 5000;
constexpr std::size_t kAtOnce = 250;       // frames read before others have their turn
constexpr std::size_t kPiece = 64 * 1024;  // of a capture
constexpr std::size_t kMostText = 256;     // that is looked for
// Each has a copy of what all lines have kept, a capture until the last byte of it is sent.
constexpr std::size_t kLooksAtOnce = 2, kMostWaiting = 32, kMostCaptures = 2;

struct Desk {
  Field& field;
  Clock& clock;
  Worker& worker;
  Turns looks{kLooksAtOnce, kMostWaiting}, captures{kMostCaptures, 0};
};
using DeskPtr = std::shared_ptr<Desk>;

Response too_many(std::string_view why) {
  auto refused = problem(503, "Service Unavailable", why);
  refused.headers.emplace_back("Retry-After", "5");
  return refused;
}

Task<void> let_others() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// "2026-01-04T12:34:56.123456Z".
std::string micro(Time time) {
  const auto us = ((time.time_since_epoch().count() % 1'000'000) + 1'000'000) % 1'000'000;
  return to_rfc3339(time).substr(0, 20) + fmt::format("{:06}Z", us);
}

// One line's frames, to be asked for by their place and for their requests.
class Kept {
 public:
  explicit Kept(FrameCopy copy) : copy_(std::move(copy)), frames_(copy_.frames()) {}
  Kept(Kept&&) = default;

  const FrameCopy& copy() const { return copy_; }
  const std::vector<RawFrame>& frames() const { return frames_; }
  FrameWords words(std::size_t at) const {
    const auto& frame = frames_[at];
    return copy_.form.read == nullptr ? FrameWords{} : copy_.form.read(frame, request(frame));
  }
  std::optional<Duration> gap(std::size_t at) const {
    if (at == 0) return std::nullopt;
    return std::max(Duration(0), frames_[at].time - frames_[at - 1].time);
  }

 private:
  Bytes request(const RawFrame& frame) const {
    if (frame.about == 0) return {};
    const auto found = std::ranges::lower_bound(frames_, frame.about, {}, &RawFrame::seq);
    return found != frames_.end() && found->seq == frame.about ? found->bytes : Bytes{};
  }

  FrameCopy copy_;
  std::vector<RawFrame> frames_;
};

struct Shown {
  const Kept* of = nullptr;
  std::size_t at = 0;
  const RawFrame& frame() const { return of->frames()[at]; }
};

void write(JsonWriter& json, const Shown& shown, const FrameWords& words) {
  const auto& frame = shown.frame();
  json.begin_object().member("seq", frame.seq).member("time", micro(frame.time));
  json.member("line", shown.of->copy().line);
  json.member("direction", frame.way == FrameWay::sent ? "sent" : "received");
  json.member("bytes", to_hex(frame.bytes));
  const auto number = [&](std::string_view name, const std::optional<int>& value) {
    json.key(name);
    if (value)
      json.value(*value);
    else
      json.null();
  };
  number("unit", words.unit);
  number("function", words.function);
  json.member("summary", words.summary);
  json.key("error");
  if (words.error.empty())
    json.null();
  else
    json.value(words.error);
  json.key("gap_us");
  if (const auto gap = shown.of->gap(shown.at))
    json.value(gap->count());
  else
    json.null();
  json.end_object();
}

struct Wanted {
  std::string line, device, kind, text, digits;
  std::optional<int> unit;
  std::optional<std::uint64_t> after;
  std::size_t limit = kUsual;

  bool keeps(const Shown& shown, const FrameWords& words) const {
    const auto& frame = shown.frame();
    if (unit && words.unit != unit) return false;
    if (kind == "error" && words.error.empty()) return false;
    if (kind == "sent" && frame.way != FrameWay::sent) return false;
    if (kind == "received" && frame.way != FrameWay::received) return false;
    if (text.empty()) return true;
    if (!digits.empty() && to_lower(to_hex(frame.bytes, 0)).find(digits) != std::string::npos)
      return true;
    return to_lower(words.summary + " " + words.error).find(text) != std::string::npos;
  }
};

// Of which lines; with a device also its unit.
struct Place {
  std::vector<std::string> lines;
  std::optional<int> unit;
  std::string missing;  // what there is none of
};
Place find(Context& context, const std::string& line, const std::string& device) {
  Place place;
  place.lines = FrameRing::of(context)->lines();
  if (!line.empty()) {
    std::erase_if(place.lines, [&](const auto& name) { return name != line; });
    if (place.lines.empty()) place.missing = fmt::format("line '{}'", start_of(line, 128));
  }
  if (device.empty() || !place.missing.empty()) return place;
  const auto id = context.catalog.find_device(device);
  if (!id || context.catalog.retired(*id)) {
    place.missing = fmt::format("device '{}'", start_of(device, 128));
    return place;
  }
  const auto& info = context.catalog.info(*id);
  place.unit = info.unit;
  std::erase_if(place.lines,
                [&](const auto& name) { return !name.ends_with("/" + info.connection); });
  return place;
}

Response hangs() {
  return problem(503, "Service Unavailable", "The gateway's loop did not answer within 1 s.");
}

// Nothing: the field loop hangs. Lines that are gone meanwhile are left out.
Task<std::optional<std::vector<Kept>>> collect(Field& field, std::vector<std::string> lines,
                                               std::uint64_t after) {
  std::vector<Kept> all;
  for (const auto& line : lines) {
    using Copied = std::optional<FrameCopy>;
    auto copied = co_await field.ask<Copied>(
        [line, after](Context& context) { return FrameRing::of(context)->copy(line, after); });
    if (!copied) co_return std::nullopt;
    if (*copied) all.emplace_back(std::move(**copied));
    co_await let_others();
  }
  co_return all;
}

// All of them in their order.
std::vector<Shown> in_order(const std::vector<Kept>& all, std::uint64_t after) {
  std::vector<Shown> shown;
  for (const auto& kept : all) {
    for (std::size_t at = 0; at < kept.frames().size(); ++at) {
      if (kept.frames()[at].seq > after) shown.push_back({&kept, at});
    }
  }
  std::ranges::sort(shown, {}, [](const Shown& one) { return one.frame().seq; });
  return shown;
}

Task<Result<Place>> place_of(Field& field, std::string line, std::string device) {
  auto place = co_await field.ask<Place>(
      [line, device](Context& context) { return find(context, line, device); });
  if (!place) co_return fail(Errc::timeout, "the field loop hangs");
  if (!place->missing.empty()) co_return fail(Errc::invalid, "there is no {}", place->missing);
  co_return std::move(*place);
}
Response not_found(const Error& why) {
  return why.code == Errc::invalid ? problem(404, "Not Found", why.text) : hangs();
}

Wanted read(Query& query) {
  Wanted wanted;
  wanted.line = query.text("line");
  wanted.device = query.text("device");
  wanted.kind = query.word("kind", {"all", "sent", "received", "error"});
  wanted.text = to_lower(query.text("text", kMostText));
  std::string digits = wanted.text;
  std::erase(digits, ' ');
  if (digits.find_first_not_of("0123456789abcdef") == std::string::npos) wanted.digits = digits;
  if (const auto after = query.number("after", 0, std::numeric_limits<std::int64_t>::max()))
    wanted.after = static_cast<std::uint64_t>(*after);
  if (const auto limit = query.number("limit", 1, kMost))
    wanted.limit = static_cast<std::size_t>(*limit);
  return wanted;
}

Task<Response> answer(DeskPtr desk, const Call& call) {
  Query query(call.request);
  auto wanted = read(query);
  if (query.problem()) co_return *query.problem();
  const auto turn = co_await desk->looks.take();
  if (!turn) co_return too_many("Too many look at the frames at once; ask again in a moment.");
  auto& field = desk->field;
  const auto place = co_await place_of(field, wanted.line, wanted.device);
  if (!place) co_return not_found(place.error());
  wanted.unit = place->unit;
  const auto all = co_await collect(field, place->lines, wanted.after.value_or(0));
  if (!all) co_return hangs();

  // After a frame: the oldest that fit. Else the newest.
  const auto shown = in_order(*all, wanted.after.value_or(0));
  const bool forward = wanted.after.has_value();
  std::vector<std::pair<Shown, FrameWords>> found;
  bool more = false;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (i % kAtOnce == kAtOnce - 1) co_await let_others();
    const auto& one = forward ? shown[i] : shown[shown.size() - 1 - i];
    auto words = one.of->words(one.at);
    if (!wanted.keeps(one, words)) continue;
    if (found.size() == wanted.limit) {
      more = true;
      break;
    }
    found.emplace_back(one, std::move(words));
  }
  if (!forward) std::ranges::reverse(found);

  std::string out;
  JsonWriter json(out);
  json.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i % kAtOnce == kAtOnce - 1) co_await let_others();
    write(json, found[i].first, found[i].second);
  }
  json.end_array().key("next");
  // A cursor goes on towards the newer frames.
  if (forward && more)
    json.value(fmt::format("{}", found.back().first.frame().seq));
  else
    json.null();
  json.end_object();
  co_return json_answer(std::move(out));
}

struct Capture {
  explicit Capture(DeskPtr on) : desk(std::move(on)) {}
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  // The system can have the memory again.
  ~Capture() {
    desk->worker.post([] { ::malloc_trim(0); });
  }
  DeskPtr desk;
  Turns::Place place;
  std::vector<Kept> all;
  std::vector<Shown> shown;
  std::size_t at = 0;
  bool begun = false;
};

void append(std::string& out, const Capture& capture, const Shown& shown) {
  const auto& frame = shown.frame();
  const auto words = shown.of->words(shown.at);
  pcapng::Packet packet;
  packet.line = static_cast<std::uint32_t>(shown.of - capture.all.data());
  packet.time = frame.time;
  packet.way = frame.way;
  packet.dissector = words.is_frame ? shown.of->copy().form.dissector : "data";
  packet.bytes = words.dissected.empty() ? frame.bytes : Bytes(words.dissected);
  packet.bad_check = frame.fault == FrameFault::bad_check;
  auto comment = words.error;
  if (!words.error.empty() && frame.bytes.empty()) comment += "; " + words.summary;
  if (!words.dissected.empty()) {
    comment += fmt::format("{}shown as RTU, on the line: {}", comment.empty() ? "" : "; ",
                           to_hex(frame.bytes));
  }
  packet.comment = comment;
  pcapng::append(out, packet);
}

Task<std::optional<std::string>> next_piece(std::shared_ptr<Capture> capture) {
  std::string piece;
  if (!std::exchange(capture->begun, true)) {
    std::vector<std::string> names;
    for (const auto& kept : capture->all) names.push_back(kept.copy().line);
    piece = pcapng::header(fmt::format("lightship {}", version()), names);
  } else if (capture->at == capture->shown.size()) {
    co_return std::nullopt;
  }
  co_await let_others();
  for (; capture->at < capture->shown.size() && piece.size() < kPiece; ++capture->at)
    append(piece, *capture, capture->shown[capture->at]);
  co_return piece;
}

Task<Response> as_capture(DeskPtr desk, const Call& call) {
  Query query(call.request);
  const auto line = query.text("line");
  if (query.problem()) co_return *query.problem();
  const auto place = co_await place_of(desk->field, line, "");
  if (!place) co_return not_found(place.error());
  auto turn = co_await desk->captures.take();
  if (!turn) {
    co_return too_many(fmt::format(
        "{} captures are on their way already; ask again when one is there.", kMostCaptures));
  }
  const auto capture = std::make_shared<Capture>(desk);
  capture->place = std::move(turn);
  auto all = co_await collect(desk->field, place->lines, 0);
  if (!all) co_return hangs();
  capture->all = std::move(*all);
  capture->shown = in_order(capture->all, 0);
  Response response;
  response.content_type = "application/octet-stream";
  auto time = to_rfc3339(desk->clock.now()).substr(0, 19);
  std::erase(time, ':');
  response.headers.emplace_back(
      "Content-Disposition",
      fmt::format("attachment; filename=\"lightship-frames-{}.pcapng\"", time));
  response.pieces = [capture] { return next_piece(capture); };
  co_return response;
}

Task<Result<GrowingTopic::News>> news(Field& field, std::string line,
                                      std::optional<std::uint64_t> after) {
  using Copied = std::optional<FrameCopy>;
  const auto from = after.value_or(0);
  auto copied = co_await field.ask<Copied>(
      [line, from](Context& context) { return FrameRing::of(context)->copy(line, from); });
  if (!copied) co_return fail(Errc::unavailable, "the gateway's loop does not answer");
  if (!*copied) co_return fail(Errc::invalid, "there is no line '{}'", start_of(line, 128));
  std::vector<Kept> all;
  all.emplace_back(std::move(**copied));
  auto shown = in_order(all, from);
  // Whoever is so far behind sees the newest; the rest is in /api/diag/frames.
  constexpr std::size_t kFirst = 200, kAtMost = 500;
  const auto most = after ? kAtMost : kFirst;
  if (shown.size() > most) shown.erase(shown.begin(), shown.end() - static_cast<long>(most));
  GrowingTopic::News found;
  found.cursor = std::max(from, all.front().copy().newest);
  for (const auto& one : shown) {
    std::string text;
    JsonWriter json(text);
    write(json, one, one.of->words(one.at));
    found.items.push_back(boost::json::parse(text));
  }
  co_return found;
}

}  // namespace

void add_frames(Router& router, Field& field, Clock& clock, Worker& worker) {
  const auto desk = std::make_shared<Desk>(field, clock, worker);
  router.add({"GET", "/api/diag/frames", Role::viewer,
              [desk](const Call& call) { return answer(desk, call); }});
  router.add({"GET", "/api/diag/frames.pcapng", Role::viewer,
              [desk](const Call& call) { return as_capture(desk, call); }});
}

void add_frames_topic(LiveHub& live, Field& field) {
  GrowingTopic topic;
  topic.name = "frames:";
  topic.keep = 5000;
  topic.provider = [&field](std::string line, std::optional<std::uint64_t> after) {
    return news(field, std::move(line), after);
  };
  live.add(std::move(topic));
}

}  // namespace lightship::portal
