// Searches the ring on a worker, a part at a time so that nobody else waits for it.
#include "portal/api/logs.h"

#include <boost/json/parse.hpp>

#include "portal/api/query.h"
#include "portal/diag/log_search.h"
#include "portal/live/hub.h"
#include "portal/turns.h"

namespace lightship::portal {
namespace {

constexpr std::size_t kUsual = 200;
constexpr std::size_t kAtOnce = 100;     // lines searched before others have the worker
constexpr std::size_t kMostWaiting = 4;  // of one session

// One search of each session at a time: whoever asks more waits for himself.
class Searchers {
 public:
  std::shared_ptr<Turns> of(const Caller& caller) {
    std::erase_if(turns_, [](const auto& entry) { return entry.second.expired(); });
    auto& known = turns_[caller.session + caller.token];
    auto turns = known.lock();
    if (!turns) known = turns = std::make_shared<Turns>(1, kMostWaiting);
    return turns;
  }

 private:
  std::map<std::string, std::weak_ptr<Turns>> turns_;
};

struct Asked {
  LogWanted wanted;
  std::optional<std::int64_t> after, before;
  std::optional<std::size_t> limit;
  bool as_file = false;
};

Asked read(Query& query) {
  Asked asked;
  asked.wanted.least = *parse_level(query.word("level", {"debug", "info", "warn", "error"}));
  asked.wanted.component = query.text("component");
  asked.wanted.device = query.text("device");
  asked.wanted.text = query.text("text", LogFilter::kMostText);
  asked.wanted.regex = query.number("regex", 0, 1).value_or(0) == 1;
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  asked.after = query.number("after", 0, kMost);
  asked.before = query.number("before", 0, kMost);
  if (const auto limit = query.number("limit", 1, LogRing::kMostLines))
    asked.limit = static_cast<std::size_t>(*limit);
  asked.as_file = query.word("format", {"json", "jsonl"}) == "jsonl";
  return asked;
}

// One answer: lines in order, and whether there are more behind them.
struct Found {
  std::vector<LogRing::Line> lines;
  bool more = false;
};

// A search on its way.
struct Search {
  std::vector<LogRing::Line> all;
  LogFilter filter;
  std::size_t limit;
  bool forward;  // after a line: the oldest that fit; else the newest
  std::size_t at = 0;
  Found found;

  // On the worker. False: there is nothing more to look at.
  bool look_on() {
    for (const auto end = std::min(at + kAtOnce, all.size()); at < end; ++at) {
      const auto& line = forward ? all[at] : all[all.size() - 1 - at];
      if (!filter.keeps(*line)) continue;
      if (found.lines.size() == limit) {
        found.more = true;
        return false;
      }
      found.lines.push_back(line);
    }
    return at < all.size();
  }
};

Task<Found> search(Worker& worker, std::vector<LogRing::Line> all, LogFilter filter, Asked asked) {
  if (asked.before) {
    std::erase_if(all, [&](const auto& line) {
      return line->seq >= static_cast<std::uint64_t>(*asked.before);
    });
  }
  const auto limit = asked.limit.value_or(asked.as_file ? LogRing::kMostLines : kUsual);
  const auto one = std::make_shared<Search>(
      Search{std::move(all), std::move(filter), limit, asked.after.has_value()});
  for (bool more = true; more;) {
    auto looking = worker.run([one] { return one->look_on(); });
    more = co_await std::move(looking);
  }
  if (!one->forward) std::ranges::reverse(one->found.lines);
  co_return std::move(one->found);
}

std::string page(const Found& found, bool forward) {
  std::string out = "{\"items\":[";
  for (std::size_t i = 0; i < found.lines.size(); ++i) {
    if (i > 0) out += ',';
    append_json(out, *found.lines[i]);
  }
  out += "],\"next\":";
  // A cursor goes on towards the newer lines.
  out += forward && found.more ? fmt::format("\"{}\"", found.lines.back()->seq) : "null";
  return out + "}";
}

struct FileOfLines {
  std::vector<LogRing::Line> lines;
  std::size_t at = 0;
};
Task<std::optional<std::string>> next_piece(std::shared_ptr<FileOfLines> file) {
  if (file->at == file->lines.size()) co_return std::nullopt;
  std::string piece;
  for (; file->at < file->lines.size() && piece.size() < 32 * 1024; ++file->at) {
    append_json(piece, *file->lines[file->at]);
    piece += '\n';
  }
  co_return piece;
}

Task<Response> answer(const LogRing& ring, Clock& clock, Worker& worker,
                      std::shared_ptr<Searchers> searchers, const Call& call) {
  Query query(call.request);
  const auto asked = read(query);
  if (query.problem()) co_return *query.problem();

  const auto turns = searchers->of(call.caller);
  const auto place = co_await turns->take();
  if (!place) {
    auto busy =
        problem(429, "Too Many Requests", "Searches of this session wait for each other already.",
                "too-many-requests");
    busy.headers.emplace_back("Retry-After", "1");
    co_return busy;
  }
  auto making = worker.run([wanted = asked.wanted] { return LogFilter::make(wanted); });
  auto filter = co_await std::move(making);
  if (!filter) {
    query.wrong("text", filter.error().text);
    co_return *query.problem();
  }
  auto found = co_await search(
      worker, ring.lines(static_cast<std::uint64_t>(asked.after.value_or(0))), *filter, asked);
  if (!asked.as_file) co_return json_answer(page(found, asked.after.has_value()));
  Response response;
  response.content_type = "application/x-ndjson";
  auto time = to_rfc3339(clock.now()).substr(0, 19);
  std::erase(time, ':');
  response.headers.emplace_back(
      "Content-Disposition", fmt::format("attachment; filename=\"lightship-log-{}.jsonl\"", time));
  const auto file = std::make_shared<FileOfLines>();
  file->lines = std::move(found.lines);
  response.pieces = [file] { return next_piece(file); };
  co_return response;
}

Task<Result<GrowingTopic::News>> news(const LogRing& ring, std::optional<std::uint64_t> after) {
  auto lines = ring.lines(after.value_or(0));
  constexpr std::size_t kFirst = 200, kMost = 500;
  const auto most = after ? kMost : kFirst;
  // Whoever is so far behind sees the newest; the rest is in /api/logs.
  if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<long>(most));
  GrowingTopic::News found;
  found.cursor = lines.empty() ? after.value_or(0) : lines.back()->seq;
  for (const auto& line : lines) {
    std::string text;
    append_json(text, *line);
    found.items.push_back(boost::json::parse(text));
  }
  co_return found;
}

}  // namespace

void add_logs(Router& router, const LogRing& ring, Clock& clock, Worker& worker) {
  router.add({"GET", "/api/logs", Role::viewer,
              [&ring, &clock, &worker, searchers = std::make_shared<Searchers>()](
                  const Call& call) { return answer(ring, clock, worker, searchers, call); }});
}

void add_logs_topic(LiveHub& live, const LogRing& ring) {
  GrowingTopic topic;
  topic.name = "logs";
  topic.keep = LogRing::kMostLines;
  topic.provider = [&ring](std::string, std::optional<std::uint64_t> after) {
    return news(ring, after);
  };
  live.add(std::move(topic));
}

}  // namespace lightship::portal
