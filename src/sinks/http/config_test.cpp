// The keys of api_endpoints, what is said of wrong ones, and what check says of devices.
#include "sinks/http/config.h"

#include <gmock/gmock.h>

#include "config/from_text.h"
#include "config/module.h"

namespace lightship {
std::unique_ptr<config::Module> make_sink_http();
}

namespace lightship::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string said(std::string_view text) {
  return config::from_text<MeasurementEndpoint>(text).mistakes;
}
MeasurementEndpoint understood(std::string_view text) {
  auto read = config::from_text<MeasurementEndpoint>(text);
  EXPECT_EQ(read.mistakes, "");
  return std::move(read.value);
}

TEST(HttpConfig, NeedsNothingButAUrl) {
  const auto endpoint = understood("url: https://backend.example/v1");
  EXPECT_TRUE(endpoint.enabled);
  EXPECT_TRUE(endpoint.tls_verify);
  EXPECT_FALSE(endpoint.gzip);
  EXPECT_EQ(endpoint.batch, 1u);
  EXPECT_EQ(endpoint.timeout, 30s);
  EXPECT_EQ(endpoint.shape, Shape::grouped);
  EXPECT_THAT(said("gzip: true"), HasSubstr("url"));
}

TEST(HttpConfig, TakesTheLineOfTheContract) {
  const auto endpoint = understood(
      "{url: \"https://backend.example/v1/electrical\", headers: {Authorization: Bearer x}, "
      "batch: 1, gzip: false, tls_verify: true, ca_file: ca.pem}");
  EXPECT_EQ(endpoint.headers.at("Authorization").reveal(), "Bearer x");
  EXPECT_EQ(endpoint.ca_file, "ca.pem");
}

TEST(HttpConfig, ShowsNoPasswordOfAUrlAndSaysWhereItBelongs) {
  for (const char* text :
       {"url: http://joe:open-sesame@x.example/", "url: \"https://joe:open-sesame@x/\"",
        "{url: 'http://joe:open-sesame@x:99999/', bach: 2}"}) {
    const auto told = said(text);
    EXPECT_THAT(told, HasSubstr("better is headers: {Authorization: !secret NAME}"));
    EXPECT_THAT(told, HasSubstr("://***************@x"));
    EXPECT_EQ(told.find("sesame"), std::string::npos) << told;
  }
  EXPECT_EQ(said("url: http://x.example/joe@home"), "");
}

TEST(HttpConfig, ShowsNoHeaderNotEvenWhereItIsWrong) {
  const auto text = said("url: http://x/\nheaders: {\"X Y\": hidden-value}");
  EXPECT_THAT(text, HasSubstr("'X Y' is no name of a header"));
  EXPECT_EQ(text.find("hidden-value"), std::string::npos) << text;
}

TEST(HttpConfig, RefusesHeadersThatItMakesItself) {
  EXPECT_THAT(said("url: http://x/\nheaders: {Content-Length: 5}"),
              HasSubstr("made by the gateway"));
  EXPECT_THAT(said("url: http://x/\nheaders: {idempotency-key: a}"),
              HasSubstr("made by the gateway"));
  EXPECT_THAT(said("url: http://x/\nheaders: {X-A: 1, x-a: 2}"), HasSubstr("twice"));
  EXPECT_THAT(said("url: http://x/\nheaders: {X-A: \"1\\r\\nX-B: 2\"}"), HasSubstr("line break"));
}

TEST(HttpConfig, RefusesWhatCannotBePostedTo) {
  EXPECT_THAT(said("url: backend.example/v1"), HasSubstr("http:// or https://"));
  EXPECT_THAT(said("url: \"http://x/{clint_id}\""), HasSubstr("{client_id}"));
  EXPECT_THAT(said("url: \"http://x/{point}\""), HasSubstr("per_point"));
  EXPECT_EQ(said("{url: \"http://x/{point}\", shape: per_point}"), "");
  EXPECT_THAT(said("{url: http://x/, proxy: \"ftp://p/\"}"), HasSubstr("socks5"));
  EXPECT_THAT(said("{url: http://x/, key_file: a.key}"), HasSubstr("cert_file"));
  EXPECT_THAT(said("{url: http://x/, batch_wait: 5}"), HasSubstr("batch above 1"));
  EXPECT_THAT(said("{url: http://x/, batch: 0}"), HasSubstr("batch"));
}

TEST(HttpConfig, WarnsOfWhatIsUnwise) {
  EXPECT_THAT(said("{url: https://x/, tls_verify: false}"), HasSubstr("pretend"));
  EXPECT_THAT(said("{url: \"http://x/{client_id}\", batch: 9}"), HasSubstr("one URL only"));
}

// The site's mistakes with these endpoints and one device of this type.
std::string of_a_device(std::string_view endpoints, const std::string& type) {
  auto module = make_sink_http();
  config::SiteFiles files;
  module->declare(files);
  config::SiteTexts texts;
  texts.files["communication.yaml"] =
      fmt::format("communication: {{api_endpoints: {}}}", endpoints);
  config::Mistakes mistakes;
  config::load(texts, files, mistakes);
  config::Site site;
  config::Site::Device device;
  device.info.connection = "main";
  device.info.client = "meter";
  device.info.type = type;
  device.info.http.enabled = true;
  device.at = device.type_at = {"slave_config.yaml", 7, 9, ""};
  site.devices.push_back(device);
  module->check(site, mistakes);
  return mistakes.text();
}

TEST(HttpConfig, WarnsOfATypeWithoutAnEndpoint) {
  const auto text = of_a_device("{electrical: {measurements: {url: http://x/}}}", "electricl");
  EXPECT_THAT(text, HasSubstr("slave_config.yaml:7:9: warning: "));
  EXPECT_THAT(text, HasSubstr("no api_endpoints.electricl.measurements: not sent over HTTP"));
  EXPECT_THAT(text, HasSubstr("did you mean 'electrical'?"));
  EXPECT_THAT(of_a_device("{electrical: {alerts: {url: http://x/}}}", "electrical"),
              HasSubstr("not sent over HTTP"));
}

TEST(HttpConfig, SaysWhereADeviceWithoutATypeGoes) {
  EXPECT_THAT(
      of_a_device("{default: {measurements: {url: http://x/}}}", "default"),
      HasSubstr("note: device 'main/meter' has no type, which means 'default': it is sent to "
                "api_endpoints.default"));
  EXPECT_THAT(of_a_device("{electrical: {measurements: {url: http://x/}}}", "default"),
              HasSubstr("no type, which means 'default'"));
}

TEST(HttpConfig, SaysNothingOfWhatIsRight) {
  EXPECT_EQ(of_a_device("{electrical: {measurements: {url: http://x/}}}", "electrical"), "");
}

}  // namespace
}  // namespace lightship::http
