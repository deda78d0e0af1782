// What a device says of itself, and what its numbers make plausible.
#include "sources/modbus/identify.h"

#include <gtest/gtest.h>

#include "link/testing/on_loop.h"

namespace lightship::poller {
namespace {

// A device as its registers by space; what is not there is refused with exception 2.
struct Peer {
  std::map<std::pair<Space, std::uint16_t>, std::uint16_t> registers;
  std::vector<modbus::Identification::Object> identity;
  bool silent = false;
  std::vector<std::string> asked;

  void put(Space space, std::uint16_t first, const std::vector<std::uint16_t>& words) {
    for (std::size_t i = 0; i < words.size(); ++i)
      registers[{space, static_cast<std::uint16_t>(first + i)}] = words[i];
  }
  void put_text(Space space, std::uint16_t first, std::string text, std::uint16_t count) {
    text.resize(2u * count);
    for (std::uint16_t i = 0; i < count; ++i)
      put(space, static_cast<std::uint16_t>(first + i),
          {static_cast<std::uint16_t>(static_cast<unsigned char>(text[2u * i]) << 8 |
                                      static_cast<unsigned char>(text[2u * i + 1]))});
  }
  void put_float(Space space, std::uint16_t at, float value) {
    const auto raw = std::bit_cast<std::uint32_t>(value);
    put(space, at, {static_cast<std::uint16_t>(raw >> 16), static_cast<std::uint16_t>(raw)});
  }

  static Task<Result<std::vector<std::uint16_t>>> answer(Peer& peer, Space space,
                                                         std::uint16_t first, std::uint16_t count) {
    peer.asked.push_back(fmt::format("{}:{}+{}", static_cast<int>(space), first, count));
    if (peer.silent) co_return std::unexpected(Error{Errc::timeout, "no answer", 0});
    std::vector<std::uint16_t> words;
    for (std::uint32_t at = first; at < std::uint32_t{first} + count; ++at) {
      const auto found = peer.registers.find({space, static_cast<std::uint16_t>(at)});
      if (found == peer.registers.end())
        co_return std::unexpected(Error{Errc::refused, "illegal data address", 2});
      words.push_back(found->second);
    }
    co_return words;
  }
  static Task<Result<modbus::Identification>> identify_itself(Peer& peer) {
    peer.asked.emplace_back("43/14");
    if (peer.silent) co_return std::unexpected(Error{Errc::timeout, "no answer", 0});
    if (peer.identity.empty())
      co_return std::unexpected(Error{Errc::refused, "illegal function", 1});
    modbus::Identification identification;
    identification.objects = peer.identity;
    co_return identification;
  }
};

const Meters& known() {
  static config::Mistakes mistakes;
  static const Meters kMeters = Meters::built_in(mistakes);
  return kMeters;
}

Result<Identified> identified(Peer& peer, bool is_there = false, std::size_t most = 100) {
  asio::io_context loop;
  Asker asker{[&peer](Space space, std::uint16_t first, std::uint16_t count) {
                return Peer::answer(peer, space, first, count);
              },
              [&peer] { return Peer::identify_itself(peer); }};
  return link::on_loop(loop, identify(std::move(asker), known(), is_there, most));
}

std::string best(Peer& peer) {
  const auto found = identified(peer);
  if (!found) return found.error().text;
  if (found->candidates.empty()) return "nobody";
  const auto& first = found->candidates.front();
  return fmt::format("{} {}", first.meter_model, to_string(first.certainty));
}

TEST(Identify, KnowsAnAbbByItsModelId) {
  Peer peer;
  peer.put(Space::holding, 35168, {0x4232, 0x3320});
  EXPECT_EQ(best(peer), "abb_b23 certain");
  EXPECT_EQ(identified(peer)->candidates.front().evidence, "holding 35168: 42 32 33 20");
}

TEST(Identify, KnowsAnEm24OnEthernetByItsModelNumber) {
  Peer peer;
  peer.put(Space::input, 11, {1650});
  EXPECT_EQ(best(peer), "carlogavazzi_em24_e1 certain");
  peer.put(Space::input, 11, {1654});
  EXPECT_EQ(best(peer), "nobody");
}

TEST(Identify, KnowsSocomecByItsMarkAndTheModelByItsText) {
  Peer peer;
  peer.put(Space::holding, 50000, {0x0053, 0x004F, 0x0043, 0x004F});
  EXPECT_TRUE(best(peer).starts_with("socomec_countis_e34 likely")) << best(peer);
  peer.put_text(Space::holding, 50058, "COUNTIS E44", 8);
  EXPECT_EQ(best(peer), "socomec_countis_e44 certain");
}

TEST(Identify, KnowsSchneiderByItsTexts) {
  Peer pm, iem;
  pm.put_text(Space::holding, 29, "PM5340 meter", 20);
  pm.put_text(Space::holding, 49, "PM5340", 20);
  pm.put_text(Space::holding, 69, "Schneider Electric", 20);
  EXPECT_EQ(best(pm), "schneider_pm53xx certain");
  iem.put_text(Space::holding, 49, "iEM3255", 20);
  EXPECT_EQ(best(iem), "schneider_iem3xxx certain");
}

TEST(Identify, ReadsTheDeviceIdentification) {
  Peer peer;
  peer.identity = {{0, "Schneider Electric"}, {1, "EM6400NG"}, {2, "v1.2"}};
  const auto found = identified(peer);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->says, "Schneider Electric EM6400NG v1.2");
  ASSERT_GE(found->candidates.size(), 2u);
  EXPECT_EQ(found->candidates[0].meter_model, "schneider_em6400ng");
  EXPECT_EQ(found->candidates[0].certainty, Certainty::likely);
  EXPECT_EQ(found->candidates[1].meter_model, "schneider_em6400");
}

TEST(Identify, TellsWhoAnUnknownDeviceSaysItIs) {
  Peer peer;
  peer.identity = {{0, "Acme"}, {1, "Toaster 3"}};
  const auto found = identified(peer);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->candidates.size(), 1u);
  EXPECT_EQ(found->candidates[0].meter_model, "");
  EXPECT_EQ(found->candidates[0].name, "Acme Toaster 3");
}

TEST(Identify, KnowsSunspecDevicesByTheirModels) {
  Peer peer;
  peer.put(Space::holding, 40000, {0x5375, 0x6E53, 1, 66});
  peer.put_text(Space::holding, 40004, "Acme", 16);
  peer.put_text(Space::holding, 40020, "Sun 8", 16);
  peer.put(Space::holding, 40070, {112, 60});
  peer.put(Space::holding, 40132, {0xFFFF, 0});
  const auto found = identified(peer);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->says, "Acme Sun 8");
  ASSERT_EQ(found->candidates.size(), 1u);
  EXPECT_EQ(found->candidates[0].meter_model, "sunspec_112");
  EXPECT_EQ(found->candidates[0].certainty, Certainty::certain);
  EXPECT_EQ(found->candidates[0].evidence,
            "\"SunS\" at 40000 and the SunSpec models 1, 112 of Acme Sun 8");
  EXPECT_LT(found->requests, 12u) << "nothing further is asked of a device that said who it is";
}

TEST(Identify, FindsAMeterByItsPlausibleVoltages) {
  Peer peer;
  for (const std::uint16_t phase : {0, 2, 4}) peer.put_float(Space::input, phase, 231.5f);
  peer.put_float(Space::input, 70, 49.98f);
  const auto found = identified(peer);
  ASSERT_TRUE(found);
  ASSERT_FALSE(found->candidates.empty());
  EXPECT_EQ(found->candidates[0].meter_model, "eastron_sdm630");
  EXPECT_EQ(found->candidates[0].certainty, Certainty::plausible);
  EXPECT_EQ(found->candidates[0].evidence, "231.5 V at input 0, 49.98 Hz at 70, 231.5 V at 2");
}

TEST(Identify, PrefersTheSinglePhaseMeterWhereThereIsNoSecondPhase) {
  Peer peer;
  peer.put_float(Space::input, 0, 118.0f);
  peer.put_float(Space::input, 2, 0.0f);
  peer.put_float(Space::input, 70, 60.01f);
  EXPECT_EQ(best(peer), "eastron_sdm120 plausible");
}

TEST(Identify, GivesUpOnASilentDeviceAfterThreeQuestions) {
  Peer peer;
  peer.silent = true;
  const auto found = identified(peer);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::timeout);
  EXPECT_EQ(peer.asked.size(), 3u);
}

TEST(Identify, AsksNothingTwiceAndNotMoreThanItMay) {
  Peer peer;
  const auto found = identified(peer);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->candidates.empty());
  auto once = peer.asked;
  std::ranges::sort(once);
  EXPECT_EQ(std::ranges::adjacent_find(once), once.end());
  EXPECT_EQ(found->requests, peer.asked.size());
  EXPECT_LE(peer.asked.size(), 40u);
  RecordProperty("requests", static_cast<int>(peer.asked.size()));

  Peer hurried;
  ASSERT_TRUE(identified(hurried, true, 7));
  EXPECT_EQ(hurried.asked.size(), 7u);
}

}  // namespace
}  // namespace lightship::poller
