// Declares the keys of api_endpoints.
#include "sinks/http/config.h"

#include <algorithm>

#include "base/text.h"
#include "link/http_client.h"
#include "sinks/http/url.h"

namespace lightship::http {

using namespace std::chrono_literals;

namespace {

// What is said of a header that cannot be sent, or nothing.
std::optional<std::string> check_header(const std::string& name, const std::string& value) {
  constexpr std::string_view kOurs[] = {"content-length", "content-encoding",  "connection",
                                        "expect",         "transfer-encoding", "idempotency-key"};
  for (const char c : name) {
    const bool token = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    if (!token || name.size() > 256)
      return fmt::format("'{}' is no name of a header; letters, digits and '-' are usual", name);
  }
  if (std::ranges::find(kOurs, to_lower(name)) != std::end(kOurs))
    return fmt::format("the header {} is made by the gateway", name);
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
    return fmt::format("the value of {} holds a line break", name);
  return std::nullopt;
}

void check_headers(config::Fields& f, const EndpointConfig& c) {
  std::vector<std::string> known;
  for (const auto& [name, value] : c.headers) {
    if (const auto wrong = check_header(name, value.reveal())) f.error("headers", *wrong);
    if (std::ranges::find(known, to_lower(name)) != known.end())
      f.error("headers",
              fmt::format("the header {} is there twice; case makes no difference", name));
    known.push_back(to_lower(name));
  }
}

void describe_endpoint(config::Fields& f, EndpointConfig& c, const char* example) {
  if (!f.describing()) {
    c.mark = config::fingerprint(f);
    c.at = f.position();
  }
  f.value("enabled", c.enabled, "false: nothing is made and nothing sent; what waits is kept");
  f.value("url", c.url,
          "where it is posted; {device_id}, {connection_id}, {client_id}, {type} and, where there "
          "is one, {point} are filled in")
      .required()
      .example(example);
  f.map("headers", c.headers, "further headers; the values are treated as secrets")
      .example("{Authorization: !secret backend_token}");
  f.value("gzip", c.gzip, "compress the body");
  f.value("timeout", c.timeout, "the longest that one request may take, the connection included")
      .between(100ms, 10min);
  f.value("tls_verify", c.tls_verify, "check the server's certificate and name");
  f.value("ca_file", c.ca_file, "authorities to trust (PEM); absent: the system's")
      .example("ca.pem");
  f.value("cert_file", c.cert_file, "our own certificate (PEM), where the server asks for one")
      .example("client.pem");
  f.value("key_file", c.key_file, "its private key (PEM)").example("client.key");
  f.value("proxy", c.proxy,
          "http://host:port, https://, socks5:// or socks5h://; none; absent: as the environment "
          "says (https_proxy, http_proxy, all_proxy, no_proxy)")
      .example("http://proxy.example:3128");
  f.value("proxy_username", c.proxy_username, "user name at the proxy");
  f.value("proxy_password", c.proxy_password, "its password").example("!secret proxy");
  f.check(c.key_file.empty() || !c.cert_file.empty(), "key_file",
          "key_file needs cert_file beside it");
  f.check(c.proxy_password.empty() || !c.proxy_username.empty(), "proxy_password",
          "proxy_password needs proxy_username beside it");
  if (f.describing()) return;
  check_headers(f, c);
  if (const auto wrong = link::check_proxy(c.proxy.reveal())) f.error("proxy", "proxy " + *wrong);
  if (!c.tls_verify && c.url.starts_with("https:"))
    f.warning("tls_verify",
              "anybody can pretend to be this server: its certificate is not checked");
}

void check_endpoint_url(config::Fields& f, const EndpointConfig& c, bool with_point) {
  if (f.describing() || c.url.empty()) return;
  if (const auto wrong = check_url(c.url, with_point)) f.error("url", "url " + *wrong);
  const auto host = c.url.find("://");
  if (host != std::string::npos &&
      c.url.substr(host, c.url.find('/', host + 3) - host).contains('@'))
    f.warning("url",
              "a user name or password in the url is readable for whoever sees this file; better "
              "is headers: {Authorization: !secret NAME}");
}

}  // namespace

void describe(config::Fields& f, EndpointConfig& c) {
  describe_endpoint(f, c, "https://backend.example/v1/alerts");
  check_endpoint_url(f, c, true);
}

void describe(config::Fields& f, MeasurementEndpoint& c) {
  describe_endpoint(f, c, "https://backend.example/v1/electrical");
  f.choice("shape", c.shape,
           {{"grouped", Shape::grouped}, {"flat", Shape::flat}, {"per_point", Shape::per_point}},
           "grouped: one message a device, values in a map; flat: values beside the other members; "
           "per_point: one message a point");
  f.value("batch", c.batch,
          "more than 1: a JSON array of up to so many messages in one request, as far as they wait")
      .between(1, 1000);
  f.value("batch_wait", c.batch_wait, "how long the first message of a batch waits for others")
      .between(0s, 5min)
      .only_with(c.batch > 1, "batch above 1");
  check_endpoint_url(f, c, c.shape == Shape::per_point);
  if (f.describing()) return;
  for (const char* name : {"connection_id", "client_id", "point"}) {
    if (c.batch > 1 && has_placeholder(c.url, name)) {
      f.warning("batch",
                fmt::format("a batch holds messages for one URL only, and {{{}}} makes one "
                            "for each",
                            name));
      break;
    }
  }
}

void describe(config::Fields& f, Category& c) {
  c.at = f.describing() ? config::Position{} : f.position();
  f.section("measurements", c.measurements, "measurement messages of devices of this type");
  f.section("alerts", c.alerts, "alert messages; sent before measurements");
}

}  // namespace lightship::http
