// Connects, sends, waits for acknowledgements, and begins anew.
#include "sinks/mqtt/delivery.h"

#include <algorithm>
#include <functional>

#include "base/json_writer.h"
#include "sinks/mqtt/topic.h"

namespace lightship::mqtt {

using namespace std::chrono_literals;

namespace {

// Enough to fill a line with 100 ms of delay at 600 messages a second; Paho keeps a copy of each.
constexpr std::size_t kWindow = 64;
// A broker that takes messages and acknowledges none for so long is given up.
constexpr auto kAcknowledgeLimit = 30s;
// MQTT 5, 3.4.2.1: the broker is full, the message is not to blame.
constexpr int kQuotaExceeded = 0x97;
// So many sessions that end with the same message first, and it is sent alone; that many more, and
// it is set aside.
constexpr unsigned kSuspicious = 3, kGuilty = 5;

// Empty stays empty; a relative name is meant within the configuration directory.
std::string config_path(const Context& context, const std::string& name) {
  return name.empty() ? name : (context.config_dir / name).string();
}

}  // namespace

Delivery::Delivery(Context& context, const MqttConfig& config, std::shared_ptr<OutboxQueue> queue)
    : context_(context),
      config_(config),
      log_(context.logbook, "mqtt"),
      queue_(std::move(queue)),
      status_topic_(fill(config.status_topic, {{"device_id", context.device_id}})),
      pumping_(context.executor),
      retrying_(context.executor),
      // Gateways that lost the same broker do not come back at the same moments.
      backoff_({.first = 500ms, .limit = 30s, .jitter = 0.2},
               std::hash<std::string>{}(context.device_id) ^
                   static_cast<std::uint64_t>(context.clock.now().time_since_epoch().count())),
      acknowledged_(context.metrics.counter("mqtt_acknowledged_total",
                                            "messages the broker has acknowledged")),
      refused_(context.metrics.counter("mqtt_refused_total", "messages the broker has refused")),
      sessions_(context.metrics.counter("mqtt_sessions_total", "sessions with a broker")),
      failures_(
          context.metrics.counter("mqtt_connect_failures_total", "attempts that found no broker")) {
  queue_->on_ready([this] { pumping_.cancel(); });
}

Delivery::~Delivery() { queue_->on_ready({}); }

Task<void> Delivery::run() {
  heart_ = context_.progress.enroll("mqtt/delivery");
  std::vector<BrokerConfig> brokers{config_};
  std::ranges::copy(config_.brokers, std::back_inserter(brokers));
  while (!stopping_) {
    bool was_up = false;
    for (const auto& broker : brokers) {
      if (stopping_) co_return;
      heart_->beat(180s);
      auto ended = co_await session(broker);
      client_.reset();
      if (stopping_) co_return;
      last_error_ = ended.error().text;
      was_up = ended.error().code == Errc::closed;
      if (was_up) break;
      ++failures_;
    }
    const auto pause = backoff_.next();
    log_.warn(was_up ? "connection lost" : "no broker", field("why", last_error_),
              field("again_in", for_people(pause)));
    co_await context_.clock.sleep_unless_woken(context_.clock.mono() + pause, retrying_);
  }
}

// Ends when the session does. Errc::closed: there was one; any other error: there was none.
Task<Result<void>> Delivery::session(const BrokerConfig& broker) {
  auto made = link::MqttClient::create(context_.executor, settings(broker));
  if (!made) co_return fail(made.error());
  client_ = std::move(*made);
  broker_name_ = client_->name();
  auto connected = co_await client_->connect();
  failed_at_ = client_->stage();
  failing_ = !connected;
  if (!connected) co_return fail(connected.error());

  ++generation_;
  ++sessions_;
  lost_ = greeted_ = false;
  acknowledged_here_ = first_here_ = 0;
  connected_at_ = context_.clock.now();
  last_error_.clear();
  log_.info("connected", field("broker", broker_name_), field("waiting", queue_->waiting()));
  queue_->resend_all();
  client_->publish_async(status_topic_, status_payload("online"), 1, true,
                         [this, generation = generation_](Result<void> done) {
                           if (generation == generation_ && done) greeted_ = true;
                         });

  const auto begun = context_.clock.mono();
  TaskGroup group(context_.executor);
  group.spawn(watch_loss());
  group.spawn(pump());
  co_await group.run();
  ++generation_;
  suspect();
  if (context_.clock.mono() - begun > 10s) backoff_.reset();
  co_return fail(Errc::closed, "{}: {}", broker_name_, why_lost_);
}

Task<void> Delivery::watch_loss() {
  const auto why = co_await client_->lost();
  if (!lost_) why_lost_ = why.text;
  lost_ = true;
  pumping_.cancel();
}

Task<void> Delivery::pump() {
  progress_at_ = context_.clock.mono();
  const auto window = suspicions_ >= kSuspicious ? std::size_t{1} : kWindow;
  while (!lost_ && !(stopping_ && !client_->connected())) {
    heart_->beat(120s);
    while (queue_->under_way() < window) {
      const auto* message = queue_->next();
      if (message == nullptr) break;
      if (queue_->under_way() == 1) progress_at_ = context_.clock.mono();
      if (first_here_ == 0) first_here_ = message->id;
      send(*message);
    }
    if (queue_->under_way() > 0 && context_.clock.mono() - progress_at_ > kAcknowledgeLimit) {
      why_lost_ = fmt::format("nothing was acknowledged for {}", for_people(kAcknowledgeLimit));
      lost_ = true;
      greeted_ = false;  // the broker is at fault, not the message
      co_await client_->disconnect(0ms);
      break;
    }
    co_await context_.clock.sleep_unless_woken(context_.clock.mono() + 5s, pumping_);
  }
}

void Delivery::send(const OutboxMessage& message) {
  const bool late = message.historical(context_.clock.now(), context_.clock.mono());
  client_->publish_async(
      message.target, finish_message(message, late), message.qos, message.retain,
      [this, generation = generation_, id = message.id, topic = message.target](Result<void> done) {
        if (generation == generation_) answered(id, topic, done);
      });
}

void Delivery::answered(std::uint64_t id, const std::string& topic, const Result<void>& done) {
  if (!done && done.error().code != Errc::refused && done.error().code != Errc::invalid) return;
  if (!done && done.error().detail == kQuotaExceeded) {
    queue_->give_back(id);
    why_lost_ = "the broker takes no more for now: " + done.error().text;
    lost_ = true;
    pumping_.cancel();
    return;
  }
  if (done) {
    ++acknowledged_;
    ++acknowledged_here_;
    acknowledged_at_ = context_.clock.now();
    queue_->acknowledge(id);
  } else {
    ++refused_;
    ++acknowledged_here_;
    log_.error("message refused by the broker", field("topic", topic),
               field("why", done.error().text));
    queue_->set_aside(id, "the broker refused it: " + done.error().text);
  }
  progress_at_ = context_.clock.mono();
  backoff_.reset();
  pumping_.cancel();
}

// A session in which the broker took our status and then ended at the first message.
void Delivery::suspect() {
  if (!greeted_ || acknowledged_here_ > 0 || first_here_ == 0 || stopping_) {
    if (acknowledged_here_ > 0) suspicions_ = 0;
    return;
  }
  suspicions_ = suspect_ == first_here_ ? suspicions_ + 1 : 1;
  suspect_ = first_here_;
  if (suspicions_ < kGuilty) return;
  ++refused_;
  log_.error("a message ends each session and is set aside", field("why", why_lost_));
  queue_->set_aside(suspect_, fmt::format("the session ended {} times when it was sent: {}",
                                          suspicions_, why_lost_));
  suspicions_ = 0;
}

Task<void> Delivery::drain(Duration limit) {
  stopping_ = true;
  const auto until = context_.clock.mono() + limit;
  // First what waits is safe, then as much of it as the broker takes is delivered.
  co_await queue_->flush(limit / 2);
  while (queue_->waiting() > 0 && connected() && context_.clock.mono() < until) {
    co_await context_.clock.sleep_for(5ms);
  }
  if (queue_->waiting() > 0) {
    log_.info("stopped with messages waiting; they are sent after the next start",
              field("messages", queue_->waiting()));
  }
  if (connected()) {
    // A broker that did not take the messages will not take a goodbye either: its will says it for
    // us.
    const auto grace = context_.clock.mono() < until ? 300ms : 0ms;
    auto client = client_;
    client->publish_async(status_topic_, status_payload("offline"), 1, true, [](Result<void>) {});
    co_await client->disconnect(grace);
  }
}

void Delivery::nudge() {
  backoff_.reset();
  retrying_.cancel();
}

link::MqttSettings Delivery::settings(const BrokerConfig& broker) const {
  link::MqttSettings settings;
  settings.host = broker.host;
  settings.port = broker.port;
  settings.transport = broker.transport;
  settings.path = broker.path;
  settings.use_tls = broker.use_tls;
  settings.tls_verify = broker.tls_verify;
  settings.ca_file = config_path(context_, broker.ca_file);
  settings.cert_file = config_path(context_, broker.cert_file);
  settings.key_file = config_path(context_, broker.key_file);
  settings.username = broker.username.empty() ? config_.username : broker.username;
  settings.password =
      broker.password.empty() ? config_.password.reveal() : broker.password.reveal();
  settings.version = config_.protocol_version;
  settings.client_id = fill(config_.client_id, {{"device_id", context_.device_id}});
  settings.keepalive = std::chrono::duration_cast<std::chrono::seconds>(config_.keepalive);
  settings.will = link::MqttWill{status_topic_, status_payload("offline"), 1, true};
  return settings;
}

std::string Delivery::status_payload(std::string_view state) const {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("state", state).member("device_id", context_.device_id);
  json.member("timestamp", to_rfc3339(context_.clock.now())).end_object();
  return text;
}

void Delivery::describe_status(JsonWriter& json) const {
  const bool up = connected();
  json.member("connected", up);
  json.member("broker", broker_name_);
  json.key("connected_since");
  if (up)
    json.value(to_rfc3339(connected_at_));
  else
    json.null();
  json.member("acknowledged", acknowledged_.value);
  json.member("refused", refused_.value);
  if (!up && !last_error_.empty()) json.member("error", last_error_);
}

}  // namespace lightship::mqtt
