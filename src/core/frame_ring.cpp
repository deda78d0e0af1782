// Frames in chunks: a header, then the bytes as they were.
#include "core/frame_ring.h"

#include <algorithm>
#include <cstring>

#include "core/context.h"

namespace lightship {
namespace {

constexpr const char* kHeirloom = "frames";

struct Header {
  std::int64_t time;
  std::uint64_t seq;
  std::uint32_t back;  // so many seqs before this is the request; 0: none
  std::uint16_t size;
  FrameWay way;
  FrameFault fault;
};
static_assert(sizeof(Header) == 24);

}  // namespace

std::vector<RawFrame> FrameCopy::frames() const {
  std::vector<RawFrame> all;
  for (const auto& chunk : chunks) {
    for (std::size_t at = 0; at + sizeof(Header) <= chunk.size();) {
      Header header;
      std::memcpy(&header, chunk.data() + at, sizeof header);
      at += sizeof header;
      all.push_back({header.seq, Time(Duration(header.time)), header.way, header.fault,
                     header.back == 0 ? 0 : header.seq - header.back,
                     Bytes(chunk).subspan(at, header.size)});
      at += header.size;
    }
  }
  return all;
}

std::uint64_t FrameLine::add(Time time, FrameWay way, Bytes bytes, FrameFault fault,
                             std::uint64_t about) {
  const auto seq = ++*seq_;
  bytes_[static_cast<std::size_t>(way)] += bytes.size();
  const auto kept = bytes.first(std::min(bytes.size(), kLongestFrame));
  auto* chunk = room_for(sizeof(Header) + kept.size());
  if (chunk == nullptr) return seq;
  const auto back = about == 0 || seq - about > UINT32_MAX ? 0 : seq - about;
  const Header header{
      time.time_since_epoch().count(),         seq, static_cast<std::uint32_t>(back),
      static_cast<std::uint16_t>(kept.size()), way, fault};
  std::memcpy(chunk->bytes.get() + chunk->used, &header, sizeof header);
  chunk->used += sizeof header;
  if (!kept.empty()) std::memcpy(chunk->bytes.get() + chunk->used, kept.data(), kept.size());
  chunk->used += kept.size();
  chunk->last = seq;
  return seq;
}

FrameLine::Chunk* FrameLine::room_for(std::size_t size) {
  if (!chunks_.empty() && chunks_.back().used + size <= kChunk) return &chunks_.back();
  if (most_ == 0) return nullptr;
  if (chunks_.size() < most_) {
    chunks_.push_back({0, 0, std::make_unique_for_overwrite<std::uint8_t[]>(kChunk)});
    return &chunks_.back();
  }
  Chunk oldest = std::move(chunks_.front());
  chunks_.pop_front();
  oldest.used = 0;
  chunks_.push_back(std::move(oldest));
  return &chunks_.back();
}

void FrameLine::shrink_to(std::size_t chunks) {
  most_ = chunks;
  while (chunks_.size() > most_) chunks_.pop_front();
}

std::size_t FrameLine::memory() const { return chunks_.size() * kChunk; }

std::shared_ptr<FrameRing> FrameRing::of(Context& context) {
  auto& kept = context.heirlooms[kHeirloom];
  if (!kept) kept = std::make_shared<FrameRing>();
  return std::static_pointer_cast<FrameRing>(kept);
}

void FrameRing::set_memory(std::size_t bytes) {
  memory_ = bytes;
  share();
}

std::shared_ptr<FrameLine> FrameRing::enter(const std::string& name, FrameForm form) {
  auto& line = lines_[name];
  if (!line) {
    line.reset(new FrameLine(name, form, seq_));
    share();
  } else if (line->form_.read != form.read) {
    // What it was is another protocol now: nobody could read what is left of it.
    line->shrink_to(0);
    line->form_ = form;
    share();
  }
  return line;
}

void FrameRing::forget_unowned() {
  std::erase_if(lines_, [](const auto& line) { return line.second.use_count() == 1; });
  share();
}

void FrameRing::share() {
  if (lines_.empty()) return;
  const auto each = std::min(memory_ / lines_.size(), kMostOfLine) / FrameLine::kChunk;
  for (auto& [name, line] : lines_) line->shrink_to(each);
}

std::vector<std::string> FrameRing::lines() const {
  std::vector<std::string> names;
  names.reserve(lines_.size());
  for (const auto& [name, line] : lines_) names.push_back(name);
  return names;
}

std::optional<FrameCopy> FrameRing::copy(const std::string& name, std::uint64_t after) const {
  const auto found = lines_.find(name);
  if (found == lines_.end()) return std::nullopt;
  const auto& line = *found->second;
  FrameCopy copy{name, line.form_, {}, line.chunks_.empty() ? 0 : line.chunks_.back().last};
  if (copy.newest <= after) return copy;
  auto first =
      std::ranges::find_if(line.chunks_, [&](const auto& chunk) { return chunk.last > after; });
  // The frame before the first, and the request of an answer, may be in the chunk before.
  if (first != line.chunks_.begin()) --first;
  for (; first != line.chunks_.end(); ++first)
    copy.chunks.emplace_back(first->bytes.get(), first->bytes.get() + first->used);
  return copy;
}

std::size_t FrameRing::memory() const {
  std::size_t all = 0;
  for (const auto& [name, line] : lines_) all += line->memory();
  return all;
}

}  // namespace lightship
