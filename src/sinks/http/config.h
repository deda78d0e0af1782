// The settings of the HTTP sink: `communication.api_endpoints` of communication.yaml.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "config/fields.h"
#include "core/measurement.h"

namespace lightship::http {

// Where one kind of message of one category is posted to, and how.
struct EndpointConfig {
  bool enabled = true;
  std::string url;
  std::map<std::string, config::Secret> headers;
  bool gzip = false;
  Duration timeout = std::chrono::seconds(30);
  bool tls_verify = true;
  std::string ca_file, cert_file, key_file;  // relative to the configuration directory
  config::Secret proxy;                      // it may hold a password
  std::string proxy_username;
  config::Secret proxy_password;
  config::Position at;
  std::string mark;  // changes with anything above
};

struct MeasurementEndpoint : EndpointConfig {
  Shape shape = Shape::grouped;
  unsigned batch = 1;
  Duration batch_wait = std::chrono::seconds(1);
};

struct Category {
  std::optional<MeasurementEndpoint> measurements;
  std::optional<EndpointConfig> alerts;
  config::Position at;
};

using Endpoints = std::map<std::string, Category>;  // by a client's type

void describe(config::Fields& f, EndpointConfig& c);
void describe(config::Fields& f, MeasurementEndpoint& c);
void describe(config::Fields& f, Category& c);

}  // namespace lightship::http
