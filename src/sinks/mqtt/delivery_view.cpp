// The delivery as the portal shows it: a chain of steps, and what to look at where it hangs.
#include "base/text.h"
#include "sinks/mqtt/delivery.h"

namespace lightship::mqtt {
namespace {

using State = ServiceView::State;
using How = ServiceView::Step::How;
using Stage = link::MqttClient::Stage;

constexpr auto kLongUnacknowledged = std::chrono::seconds(30);

std::vector<std::string> advice_at(Stage stage, const MqttConfig& config) {
  switch (stage) {
    case Stage::resolve:
      return {
          fmt::format("The name {} is not known: look for a slip in mqtt_config.host", config.host),
          "Does this machine reach its name server? Try Diagnostics, Network, DNS"};
    case Stage::connect:
      return {fmt::format("Nothing takes the connection at {}:{}: is the broker running?",
                          config.host, config.port),
              "Compare the port: 1883 without TLS, 8883 with",
              "Does a firewall in between let it through? Try Diagnostics, Network, Port test"};
    case Stage::tls:
      return {"The last error says what is wrong with the certificate",
              "Does ca_file hold the authority that has signed the broker's certificate?",
              "Is the host in mqtt_config one of the names of the certificate?",
              "Is this machine's clock right? A certificate has a first and a last day"};
    case Stage::log_in:
      return {"Compare user name and password with those of the broker",
              "Is the client id allowed there, and used by nobody else?",
              "Does the broker speak the configured protocol_version?"};
  }
  return {};
}

}  // namespace

void Delivery::look(ServiceView& me) const {
  const bool up = connected();
  const auto waiting = queue_->waiting();
  std::string_view broker = broker_name_;
  if (broker.starts_with("mqtt ")) broker.remove_prefix(5);  // the title says so
  me.detail = broker.empty() ? config_.host : broker;
  if (waiting > 0) me.detail += fmt::format(", {} waiting", waiting);

  const bool tls = config_.use_tls;
  const auto stage = client_ ? client_->stage() : failed_at_;
  const auto step = [&](std::string name, Stage of) {
    ServiceView::Step one{std::move(name), How::open, {}};
    if (up || of < stage)
      one.how = How::done;
    else if (of == stage && failing_) {
      one.how = How::failed;
      one.note = last_error_;
    }
    me.chain.push_back(std::move(one));
  };
  step("resolve", Stage::resolve);
  step("connect", Stage::connect);
  if (tls) step("TLS", Stage::tls);
  step("log in", Stage::log_in);
  const auto now = context_.clock.mono();
  const bool stuck = up && queue_->under_way() > 0 && now - progress_at_ > kLongUnacknowledged / 2;
  ServiceView::Step last{"acknowledged", acknowledged_at_ == Time{} ? How::open : How::done, {}};
  if (acknowledged_at_ != Time{}) {
    last.note = fmt::format("{} messages, the last {} ago", acknowledged_.value,
                            for_people(context_.clock.now() - acknowledged_at_));
  }
  if (stuck) last.how = How::failed;
  me.chain.push_back(std::move(last));

  if (stuck) {
    me.state = State::warning;
    me.state_text = "Not acknowledged";
    me.advice = {"The broker takes messages and acknowledges none: look at its log and its disk",
                 "May this user publish to the topics? Some brokers stay silent when not"};
  } else if (up) {
    me.state = State::good;
    me.state_text = "Connected";
  } else if (failing_) {
    me.state = State::alarm;
    me.state_text = "Retrying";
    me.error = last_error_;
    me.advice = advice_at(stage, config_);
  } else if (!last_error_.empty()) {
    me.state = State::warning;
    me.state_text = "Connection lost";
    me.error = last_error_;
  } else {
    me.state = State::busy;
    me.state_text = "Connecting";
  }
}

}  // namespace lightship::mqtt
