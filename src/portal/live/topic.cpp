// Deltas, snapshots and their numbers.
#include "portal/live/topic.h"

#include "base/json_writer.h"
#include "portal/live/json_text.h"
#include "portal/live/merge_patch.h"

namespace lightship::portal {

namespace json = boost::json;

namespace {

std::string begin_frame(std::string_view type, std::string_view topic, std::uint64_t seq) {
  std::string out = R"({"type":")";
  out += type;
  out += R"(","topic":)";
  append_json_string(out, topic);
  out += R"(,"seq":)";
  out += std::to_string(seq);
  out += R"(,"data":)";
  return out;
}

}  // namespace

std::uint64_t LiveTopic::first_seq(Time now) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  return ms.count() > 0 ? static_cast<std::uint64_t>(ms.count()) : 1;
}

void LiveTopic::start_over() {
  ++seq_;
  deltas_.clear();
  delta_bytes_ = 0;
  snapshot_.reset();
  knows_ = true;
}

void LiveTopic::add_delta(const json::value& patch) {
  ++seq_;
  auto text = begin_frame("delta", name_, seq_);
  append_json(text, patch);
  text += '}';
  text.shrink_to_fit();
  delta_bytes_ += text.size();
  deltas_.push_back(std::make_shared<const std::string>(std::move(text)));
  while (deltas_.size() > kMostDeltas || (deltas_.size() > 1 && delta_bytes_ > kMostBytes)) {
    delta_bytes_ -= deltas_.front()->size();
    deltas_.pop_front();
  }
  snapshot_.reset();
}

bool LiveTopic::tell(json::value present, MonoTime mono) {
  if (!knows_) {
    told_ = std::move(present);
    start_over();
    return true;
  }
  auto change = difference(told_, present);
  if (change.exact) {
    if (!change.patch) return false;
    add_delta(*change.patch);
    told_ = std::move(present);
    return true;
  }
  if (mono >= whole_again_) {
    told_ = std::move(present);
    start_over();
    whole_again_ = mono + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
                              static_cast<double>(whole_bytes_) / kWholeBytesPerSecond));
    return true;
  }
  if (!change.patch) return false;
  told_ = merged(std::move(told_), *change.patch);
  add_delta(*change.patch);
  return true;
}

bool LiveTopic::tell_more(json::array more, std::size_t first, std::size_t keep) {
  grows_ = true;
  if (knows_ && more.empty()) return false;
  for (const auto& item : more) {
    append_json(recent_.emplace_back(), item);
    if (recent_.size() > first) recent_.pop_front();
  }
  if (!knows_) {
    start_over();
    return true;
  }
  json::object patch;
  patch.emplace("items", json::object{{"append", std::move(more)}, {"keep", keep}});
  add_delta(patch);
  return true;
}

void LiveTopic::tell_again() {
  if (knows_) add_delta(json::object());
}

LiveTopic::Next LiveTopic::next(const std::optional<std::uint64_t>& told) {
  if (told && *told < seq_ && seq_ - *told <= deltas_.size()) {
    const auto& text = deltas_[deltas_.size() - (seq_ - *told)];
    return {text, *told + 1, 0, false};
  }
  if (!snapshot_) {
    auto text = begin_frame("snapshot", name_, seq_);
    if (grows_) {
      text += R"({"items":[)";
      for (std::size_t i = 0; i < recent_.size(); ++i) {
        if (i > 0) text += ',';
        text += recent_[i];
      }
      text += "]}";
    } else {
      append_json(text, told_);
    }
    text += '}';
    text.shrink_to_fit();
    whole_bytes_ = text.size();
    snapshot_ = std::make_shared<const std::string>(std::move(text));
  }
  return {snapshot_, seq_, told && *told < seq_ ? seq_ - *told : 0, true};
}

Text error_frame(std::string_view topic, int status, std::string_view title,
                 std::string_view detail) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("type", "error");
  if (!topic.empty()) json.member("topic", topic);
  json.key("problem").begin_object().member("type", "about:blank").member("title", title);
  json.member("status", status).member("detail", detail).end_object().end_object();
  return std::make_shared<const std::string>(std::move(out));
}

Text pong_frame(std::int64_t ping) {
  return std::make_shared<const std::string>(R"({"type":"pong","ping":)" + std::to_string(ping) +
                                             "}");
}

}  // namespace lightship::portal
