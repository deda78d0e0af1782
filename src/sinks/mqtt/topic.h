// Topics with placeholders: {device_id} {connection_id} {client_id} {type} {point}.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace lightship::mqtt {

inline constexpr std::string_view kMeasurementPlaceholders[] = {"device_id", "connection_id",
                                                                "client_id", "type"};
inline constexpr std::string_view kAlertPlaceholders[] = {"device_id", "connection_id", "client_id",
                                                          "type", "point"};
inline constexpr std::string_view kStatusPlaceholders[] = {"device_id"};

// What is wrong with the topic to publish to, or nothing: wildcards, an unknown placeholder, too
// long (MQTT 3.1.1, 4.7: no '#' or '+' in a topic name; at most 65535 bytes), a control character.
std::optional<std::string> check_topic(std::string_view topic,
                                       std::span<const std::string_view> placeholders);
std::optional<std::string> check_placeholders(std::string_view text,
                                              std::span<const std::string_view> placeholders);

// The topic with its placeholders filled; unknown ones stay as they are.
std::string fill(std::string_view pattern,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> values);

// A name as a part of a topic: what would be a wildcard becomes '_'.
std::string topic_level(std::string_view name);

}  // namespace lightship::mqtt
