// Topics: placeholders filled, wildcards refused.
#include "sinks/mqtt/topic.h"

#include <gtest/gtest.h>

namespace lightship::mqtt {
namespace {

TEST(Fill, PutsTheValuesIn) {
  EXPECT_EQ(fill("site/{connection_id}/{client_id}", {{"connection_id", "a"}, {"client_id", "b"}}),
            "site/a/b");
  EXPECT_EQ(fill("{x}{", {{"y", "1"}}), "{x}{");
}

TEST(CheckTopic, RefusesWhatCannotBePublishedTo) {
  EXPECT_EQ(check_topic("a/{client_id}", kMeasurementPlaceholders), std::nullopt);
  EXPECT_EQ(check_topic("a/#", kMeasurementPlaceholders),
            "'#' is a wildcard of subscriptions; a topic to publish to cannot have one");
  EXPECT_EQ(check_topic("", kMeasurementPlaceholders), "a topic may not be empty");
  EXPECT_EQ(check_topic("a/{cleint_id}", kMeasurementPlaceholders),
            "{cleint_id} is not a placeholder here; known are {device_id} {connection_id} "
            "{client_id} {type}; "
            "did you mean {client_id}?");
  EXPECT_EQ(check_topic("a/{client_id", kMeasurementPlaceholders), "'{' at 3 is not closed");
}

}  // namespace
}  // namespace lightship::mqtt
