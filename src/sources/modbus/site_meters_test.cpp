// The site's own meters beside the built-in ones, and the places of what is wrong with them.
#include <gtest/gtest.h>

#include "sources/modbus/module.h"

namespace lightship::poller {
namespace {

// A site as `lightship check` reads it: the registry, and a device with this model and profile.
struct SiteOf {
  config::Mistakes mistakes;
  ModbusModule module;
  config::Site site;

  explicit SiteOf(std::string registry, const std::string& model = "",
                  const std::string& profile = "") {
    std::map<std::string, std::string> files;
    if (!registry.empty()) files["meter_registry.yaml"] = std::move(registry);
    if (!model.empty()) {
      files["slave_config.yaml"] =
          "connections:\n"
          "  - id: line\n"
          "    connection_type: tcp\n"
          "    host: 192.0.2.1\n"
          "    clients:\n"
          "      - id: meter\n"
          "        unit_id: 1\n"
          "        meter_model: " +
          model + "\n" + (profile.empty() ? "" : "        profile: " + profile + "\n");
    }
    config::SiteFiles known;
    module.declare(known);
    config::load(config::SiteTexts{std::move(files), config::Vault()}, known, mistakes);
    module.gather(site, mistakes);
  }

  // "meter_registry.yaml:7:5: no meter ...", the errors alone, or those of one severity.
  std::vector<std::string> told(config::Severity severity = config::Severity::error) const {
    std::vector<std::string> texts;
    for (const auto& m : mistakes.sorted()) {
      if (m.severity == severity)
        texts.push_back(fmt::format("{}:{}:{}: {}", m.file, m.line, m.column, m.message));
    }
    return texts;
  }
  std::vector<std::string> points() const {
    return site.devices.empty() ? std::vector<std::string>{} : site.devices.front().points.all();
  }
};

using Texts = std::vector<std::string>;

constexpr const char* kAcme = R"(meters:
  - id: acme_m4
    manufacturer: Acme
    model: M4
    protocol: modbus_rtu
    default_baud_rate: 9600
    supported_profiles: [basic_power, full_power]
    registers:
      voltage_l1: {address: 0, count: 2, data_type: float32, byte_order: big, unit: V}
      energy_import: {address: 72, count: 2, data_type: float32, byte_order: CDAB, unit: kWh}
    tests:
      - request: 01 03 00 00 00 02 C4 0B
        answer: 01 03 04 43 66 80 00 6E 68
        values: {voltage_l1: 230.5}
)";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(SiteMeters, AreReadInTheFormatOfTheOriginal) {
  const SiteOf site(kAcme, "acme_m4", "full_power");
  EXPECT_EQ(site.told(), Texts{});
  EXPECT_EQ(site.points(), (Texts{"voltage_l1", "energy_import"}));
  EXPECT_NE(site.module.meters().find("schneider_em6400"), nullptr) << "beside the built-in ones";
}

TEST(SiteMeters, TakeTheFourWordsAndTheLettersForAByteOrder) {
  for (const auto* order :
       {"big", "little", "big_swap", "little_swap", "ABCD", "DCBA", "BADC", "CDAB", "cdab"}) {
    const SiteOf site(with(kAcme, "CDAB", order));
    EXPECT_EQ(site.told(), Texts{}) << order;
  }
  const SiteOf site(with(kAcme, "CDAB", "ACBD"));
  ASSERT_EQ(site.told().size(), 1u);
  EXPECT_TRUE(site.told()[0].starts_with("meter_registry.yaml:10:")) << site.told()[0];
}

TEST(SiteMeters, SayWhereACountDoesNotFitItsDataType) {
  const SiteOf site(with(kAcme, "count: 2, data_type: float32", "count: 1, data_type: float32"));
  EXPECT_EQ(site.told(),
            (Texts{"meter_registry.yaml:9:39: count: data_type float32 takes 2 registers"}));
}

TEST(SiteMeters, ReplaceABuiltInNameAndLeaveTheOthersOfItsFamily) {
  const SiteOf site(with(kAcme, "acme_m4", "schneider_em6436"), "schneider_em6436");
  EXPECT_EQ(site.told(), Texts{});
  EXPECT_EQ(site.told(config::Severity::note).front(),
            "meter_registry.yaml:2:9: replaces the built-in meter 'schneider_em6436'");
  EXPECT_EQ(site.points(), (Texts{"voltage_l1", "energy_import"}));
  EXPECT_EQ(site.module.meters().find("schneider_em6400")->registers.size(), 23u);
  EXPECT_EQ(site.module.meters().find("schneider_em6433")->id, "schneider_em6400");
}

TEST(SiteMeters, WithAWrongTestSayWhichPointWhatCameAndWhatWasExpected) {
  const SiteOf site(with(kAcme, "230.5", "231"));
  EXPECT_EQ(site.told(), (Texts{"meter_registry.yaml:14:30: test of meter 'acme_m4': voltage_l1 "
                                "came out as 230.5, expected 231"}));
  const auto mistake = site.mistakes.sorted().front();
  EXPECT_EQ(mistake.found, "230.5");
  EXPECT_EQ(mistake.expected, "231");
}

TEST(SiteMeters, WithAWrongByteOrderFailTheirTest) {
  const SiteOf site(with(kAcme, "byte_order: big", "byte_order: little_swap"));
  ASSERT_EQ(site.told().size(), 1u);
  EXPECT_NE(site.told()[0].find("voltage_l1 came out as"), std::string::npos) << site.told()[0];
}

TEST(SiteMeters, SayWhatIsWrongWithTheFramesOfATest) {
  EXPECT_EQ(SiteOf(with(kAcme, "6E 68", "6E 69")).told(),
            (Texts{"meter_registry.yaml:13:17: test of meter 'acme_m4': the answer is damaged: crc "
                   "does not match; its last two bytes should be 6E 68"}));
  const auto other = SiteOf(with(kAcme, "{voltage_l1: 230.5}", "{energy_import: 1}")).told();
  EXPECT_EQ(other, (Texts{"meter_registry.yaml:14:33: test of meter 'acme_m4': energy_import is "
                          "not in the frames of this test"}));
  const auto unknown = SiteOf(with(kAcme, "{voltage_l1: 230.5}", "{voltage_11: 1}")).told();
  EXPECT_EQ(unknown, (Texts{"meter_registry.yaml:14:30: test of meter 'acme_m4': it has no point "
                            "'voltage_11'"}));
}

TEST(SiteMeters, SayOfEachMistakeInATestWhatWasFoundAndExpectedAndWhatToWrite) {
  const auto told = [](const std::string& text) {
    const auto all = SiteOf(text).mistakes.sorted();
    for (const auto& one : all) {
      if (one.severity == config::Severity::error)
        return one.found + " | " + one.expected + " | " + one.suggestion;
    }
    return std::string("nothing");
  };
  const std::string acme = kAcme;
  for (const auto& [from, to, expected] : std::vector<std::array<const char*, 3>>{
           {"230.5", "231", "230.5 | 231 | 230.5"},
           {"6E 68", "6E 69", "6E 69 | 6E 68 | "},
           {"voltage_l1: 230.5", "energy_import: 1",
            "energy_import | one of voltage_l1 | voltage_l1"},
           {"voltage_l1: 230.5", "voltage_11: 1",
            "voltage_11 | one of voltage_l1, energy_import | voltage_l1"},
           {"6E 68", "6E zz", " | a frame in hex: unit, function, data and crc | 01 03 "}}) {
    const auto said = told(with(acme, from, to));
    EXPECT_NE(said.find(expected), std::string::npos) << said;
    EXPECT_FALSE(said.ends_with(" | ")) << said;
  }
}

TEST(SiteMeters, WithOneWrongTemplateStillTellOfTheOthersAndKeepThem) {
  const auto second = std::string(kAcme).substr(std::string(kAcme).find("  - id"));
  auto text = with(kAcme, "float32, byte_order: big", "flaot32, byte_order: big");
  text += with(with(second, "acme_m4", "acme_m5"), "voltage_l1: 230.5", "voltage_l1: 1");
  text += with(second, "acme_m4", "acme_m6");
  const SiteOf site(text, "acme_m6");
  ASSERT_EQ(site.told().size(), 2u) << site.mistakes.text();
  EXPECT_TRUE(site.told()[0].starts_with("meter_registry.yaml:9:")) << site.told()[0];
  EXPECT_TRUE(site.told()[1].starts_with("meter_registry.yaml:27:")) << site.told()[1];
  EXPECT_EQ(site.points().size(), 2u) << "the good one is there";
}

TEST(SiteMeters, ThereTwiceAreAnError) {
  const auto second = std::string(kAcme).substr(std::string(kAcme).find("  - id"));
  EXPECT_EQ(SiteOf(kAcme + second).told(),
            (Texts{"meter_registry.yaml:15:9: meter 'acme_m4' is there twice; the first is at line "
                   "2"}));
}

TEST(SiteMeters, SayWhichScaleRegisterIsNowhere) {
  const SiteOf site(with(kAcme, "byte_order: big, unit: V", "scale_register: sf, unit: V"));
  ASSERT_EQ(site.told().size(), 1u) << "its test is not run";
  EXPECT_EQ(site.told()[0],
            "meter_registry.yaml:9:19: scale_register 'sf' is no point of meter 'acme_m4'");
}

TEST(Models, UnknownOnesGetTheClosestRanked) {
  const auto told = SiteOf("", "schneider_em640").told();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(
      told[0].starts_with("slave_config.yaml:8:22: no meter 'schneider_em640' in the "
                          "registry; the closest of "))
      << told[0];
  EXPECT_NE(told[0].find(": schneider_em6400, schneider_em6433, schneider_em6436"),
            std::string::npos)
      << told[0];
}

TEST(Models, AreFoundWithoutTheirMakerToo) {
  const auto meters = SiteOf("").module.meters();
  EXPECT_EQ(meters.closest("sdm630").front(), "eastron_sdm630");
  EXPECT_EQ(meters.closest("SDM-120").front(), "eastron_sdm120");
  EXPECT_EQ(meters.closest("em340").front(), "carlogavazzi_em340");
  EXPECT_EQ(meters.closest("PM5350", 1), Texts{"schneider_pm53xx"});
  EXPECT_EQ(meters.closest("pm5110", 1), Texts{"schneider_pm51xx"});
  EXPECT_EQ(meters.closest("schneider_pm5340", 1), Texts{"schneider_pm53xx"});
  EXPECT_EQ(meters.closest("abb_b22", 2), (Texts{"abb_b21", "abb_b23"}));
}

TEST(Profiles, UnknownOnesGetTheKnownOnes) {
  EXPECT_EQ(
      SiteOf("", "eastron_sdm630", "basic_pwer").told(),
      (Texts{"slave_config.yaml:9:18: meter 'eastron_sdm630' has no profile 'basic_pwer', but "
             "basic_power, full_power"}));
}

TEST(Profiles, SayWhatTheModelLacksOfThem) {
  const SiteOf site("", "janitza_umg604", "basic_power");
  EXPECT_EQ(site.told(), Texts{});
  const auto notes = site.told(config::Severity::note);
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[1],
            "slave_config.yaml:9:18: of profile 'basic_power' the meter 'janitza_umg604' lacks: "
            "power_factor, energy_import; they are left out");
  EXPECT_EQ(std::ranges::count(site.points(), "energy_import"), 0);
}

TEST(Profiles, OfASinglePhaseMeterLackNothing) {
  const SiteOf site("", "eastron_sdm120", "basic_power");
  EXPECT_EQ(site.mistakes.text(), "");
  EXPECT_EQ(site.points(), (Texts{"voltage", "current", "active_power", "power_factor", "frequency",
                                  "energy_import", "energy_total"}));
}

TEST(Confidence, IsToldOfTheProfilesPointsOnly) {
  const auto notes = SiteOf("", "schneider_em6400", "basic_power").told(config::Severity::note);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0],
            "slave_config.yaml:8:22: 3 of the 10 points of 'schneider_em6400' rest on a single "
            "source or on the vendor's way of numbering; compare one value with the display: "
            "voltage_l1, voltage_l2, voltage_l3");
  EXPECT_EQ(SiteOf("", "eastron_sdm630").told(config::Severity::note), Texts{});
}

TEST(Lines, AreRestartedWhenTheirMeterChangesNotWhenAnotherIsAdded) {
  const auto fingerprint = [](const std::string& registry) {
    SiteOf site(registry, "acme_m4");
    return site.module.parts(site.site).front().fingerprint;
  };
  const auto second = std::string(kAcme).substr(std::string(kAcme).find("  - id"));
  const auto before = fingerprint(kAcme);
  EXPECT_EQ(fingerprint(kAcme + with(second, "acme_m4", "acme_m5")), before);
  EXPECT_NE(fingerprint(with(kAcme, "address: 72", "address: 74")), before);
}

}  // namespace
}  // namespace lightship::poller
