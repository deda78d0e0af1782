// Makes measurement messages and delivers them to a broker.
#include "sinks/mqtt/mqtt_sink.h"

#include <algorithm>
#include <cmath>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/json_writer.h"
#include "core/measurement.h"
#include "sinks/mqtt/topic.h"

namespace lightship::mqtt {

using namespace std::chrono_literals;

namespace {

// Enough to fill a line with 100 ms of delay at 600 messages a second; Paho keeps a copy of each.
constexpr std::size_t kWindow = 64;
// A broker that takes messages and acknowledges none for so long is given up.
constexpr auto kAcknowledgeLimit = 30s;
// A burst after a reconnect of every device; the sink only looks at the newest state of each
// anyway.
constexpr std::size_t kInletCapacity = 256;
// Until the outbox is on disk, memory is what it may fill.
constexpr std::size_t kMostMemory = 64 << 20;

Task<bool> sleep_or_woken(asio::steady_timer& timer, MonoTime until) {
  timer.expires_at(until);
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return woken.failed();
}

// Empty stays empty; a relative name is meant within the configuration directory.
std::string config_path(const Context& context, const std::string& name) {
  return name.empty() ? name : (context.config_dir / name).string();
}

}  // namespace

MqttSink::MqttSink(Context& context, MqttConfig config, std::size_t outbox_bytes)
    : context_(context),
      config_(std::move(config)),
      log_(context.logbook, "mqtt"),
      status_topic_(fill(config_.status_topic, {{"device_id", context.device_id}})),
      making_(context.executor),
      pumping_(context.executor),
      retrying_(context.executor),
      backoff_({.first = 500ms, .limit = 30s, .jitter = 0.2}),
      published_(context.metrics.counter("mqtt_messages_total", "messages put into the outbox")),
      acknowledged_(context.metrics.counter("mqtt_acknowledged_total",
                                            "messages the broker has acknowledged")),
      refused_(context.metrics.counter("mqtt_refused_total", "messages the broker has refused")),
      unmade_(context.metrics.counter(
          "mqtt_unmade_total", "messages not made because the disk took no sequence number")),
      sessions_(context.metrics.counter("mqtt_sessions_total", "sessions with a broker")),
      failures_(
          context.metrics.counter("mqtt_connect_failures_total", "attempts that found no broker")) {
  auto& heirloom = context.heirlooms["mqtt"];
  if (!heirloom) heirloom = std::make_shared<Kept>(std::min(outbox_bytes, kMostMemory));
  kept_ = std::static_pointer_cast<Kept>(heirloom);
  const auto label = std::pair<std::string, std::string>("sink", "mqtt");
  context.metrics.gauge("outbox_messages", "messages waiting for acknowledgement", {label},
                        [this] { return static_cast<double>(kept_->outbox.waiting()); });
  context.metrics.gauge("outbox_bytes", "what they take", {label},
                        [this] { return static_cast<double>(kept_->outbox.bytes()); });
  context.metrics.gauge("outbox_dropped", "messages dropped because the outbox was full", {label},
                        [this] { return static_cast<double>(kept_->outbox.dropped()); });
  context.metrics.gauge("sink_connected", "1 while there is a session", {label},
                        [this] { return client_ && client_->connected() ? 1.0 : 0.0; });
}

MqttSink::~MqttSink() { context_.metrics.remove_gauges({"sink", "mqtt"}); }

Task<Error> MqttSink::run() {
  if (auto opened = co_await open_sequences(); !opened) co_return opened.error();
  find_feeds();
  heart_make_ = context_.progress.enroll("mqtt/messages");
  heart_deliver_ = context_.progress.enroll("mqtt/delivery");
  std::vector<std::string> keys;
  for (const auto& feed : feeds_) keys.push_back(feed.key);
  co_await kept_->sequences->prepare(std::move(keys));

  TaskGroup group(context_.executor);
  group.spawn(watch());
  group.spawn(make());
  group.spawn(deliver());
  co_await group.run();
  co_return Error{Errc::closed, "stopped", 0};
}

Task<Result<void>> MqttSink::open_sequences() {
  if (kept_->sequences) co_return Result<void>{};
  const auto file = context_.data_dir.empty() ? std::filesystem::path{}
                                              : context_.data_dir / "sequence-mqtt.json";
  auto opened = SequenceStore::open(file, context_.files, context_.logbook);
  if (!opened) co_return fail(opened.error());
  kept_->sequences = std::move(*opened);
  co_return Result<void>{};
}

void MqttSink::find_feeds() {
  const auto known = std::exchange(feeds_, {});
  feeds_stale_ = false;
  const auto now = context_.clock.mono();
  for (const auto id : context_.catalog.devices()) {
    const auto& info = context_.catalog.info(id);
    const auto topics = config_.topics.find(info.type);
    if (!info.mqtt.enabled || topics == config_.topics.end() || topics->second.measurements.empty())
      continue;
    Feed feed;
    feed.device = id;
    feed.topic = fill(topics->second.measurements, {{"device_id", context_.device_id},
                                                    {"connection_id", info.connection},
                                                    {"client_id", info.client},
                                                    {"type", info.type}});
    feed.key = "mqtt/" + info.id();
    feed.qos = topics->second.qos.value_or(config_.qos);
    feed.retain = topics->second.retain.value_or(config_.retain);
    feed.interval = info.mqtt.interval;
    feed.told = context_.cache.device(id).heard;
    feed.due = feed.told ? now : now + info.mqtt.interval;
    const auto before = std::ranges::find(known, feed.key, &Feed::key);
    if (before != known.end() && before->device == id) {
      feed.told = before->told;
      feed.sent = before->sent;
      feed.due = std::min(before->due, now + feed.interval);
    }
    feeds_.push_back(std::move(feed));
  }
}

Task<void> MqttSink::watch() {
  const auto inlet = context_.bus.subscribe("mqtt", kInletCapacity);
  for (;;) {
    const auto event = co_await inlet->next();
    for (auto& feed : feeds_) {
      if (feed.device != event->device) continue;
      const bool first = !std::exchange(feed.told, true);
      if (first || (context_.catalog.info(feed.device).mqtt.on_change && moved(feed))) {
        feed.due = context_.clock.mono();
        making_.cancel();
      }
    }
  }
}

bool MqttSink::moved(const Feed& feed) const {
  const auto& points = context_.cache.device(feed.device).points;
  const double deadband = context_.catalog.info(feed.device).mqtt.deadband;
  if (feed.sent.size() != points.size()) return true;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Value value = points[i].reason == Reason::none ? points[i].value : Value{};
    if (value == feed.sent[i]) continue;
    const double distance = std::fabs(as_double(value) - as_double(feed.sent[i]));
    if (std::isnan(distance) || distance > deadband) return true;
  }
  return false;
}

Task<void> MqttSink::make() {
  for (;;) {
    heart_make_->beat(60s);
    if (feeds_stale_) find_feeds();  // here only: below a feed is held over an await
    auto next = context_.clock.mono() + 20s;
    for (auto& feed : feeds_) {
      const auto now = context_.clock.mono();
      if (feed.due <= now && !stopping_) {
        co_await queue(feed);
        feed.due += feed.interval;
        if (feed.due <= now) feed.due += ((now - feed.due) / feed.interval + 1) * feed.interval;
      }
      if (!stopping_) next = std::min(next, feed.due);
    }
    if (!feeds_stale_) co_await sleep_or_woken(making_, next);
  }
}

Task<void> MqttSink::queue(Feed& feed) {
  const auto& info = context_.catalog.info(feed.device);
  const auto given = co_await kept_->sequences->next(feed.key);
  if (!given) {
    ++unmade_;
    log_.error("no message is made: its number cannot be kept safe",
               field("why", given.error().text));
    co_return;
  }
  const auto sequence = *given;
  if (stopping_) {
    // The exact place is saved already: the number is the successor's.
    kept_->sequences->give_back(feed.key, sequence);
    co_return;
  }
  auto measurement = make_measurement(context_.device_id, context_.catalog, context_.cache,
                                      feed.device, sequence, context_.clock);
  if (info.mqtt.on_change) {
    const auto& points = context_.cache.device(feed.device).points;
    feed.sent.clear();
    for (const auto& point : points)
      feed.sent.push_back(point.reason == Reason::none ? point.value : Value{});
  }
  Outbox::Message message;
  message.topic = feed.topic;
  message.open_json = std::move(measurement.open_json);
  message.timestamp = measurement.timestamp;
  message.interval = feed.interval;
  message.qos = feed.qos;
  message.retain = feed.retain;
  const auto dropped = kept_->outbox.dropped();
  kept_->outbox.push(std::move(message));
  if (kept_->outbox.dropped() != dropped)
    log_.error("outbox is full, the oldest messages are dropped");
  ++published_;
  pumping_.cancel();
}

Task<void> MqttSink::deliver() {
  std::vector<BrokerConfig> brokers{config_};
  std::ranges::copy(config_.brokers, std::back_inserter(brokers));
  while (!stopping_) {
    bool was_up = false;
    for (const auto& broker : brokers) {
      if (stopping_) co_return;
      heart_deliver_->beat(180s);
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
    co_await sleep_or_woken(retrying_, context_.clock.mono() + pause);
  }
}

// Ends when the session does. Errc::closed: there was one; any other error: there was none.
Task<Result<void>> MqttSink::session(const BrokerConfig& broker) {
  auto made = link::MqttClient::create(context_.executor, settings(broker));
  if (!made) co_return fail(made.error());
  client_ = std::move(*made);
  broker_name_ = client_->name();
  auto connected = co_await client_->connect();
  if (!connected) co_return fail(connected.error());

  ++generation_;
  ++sessions_;
  lost_ = false;
  connected_at_ = context_.clock.now();
  last_error_.clear();
  log_.info("connected", field("broker", broker_name_), field("waiting", kept_->outbox.waiting()));
  kept_->outbox.resend_all();
  client_->publish_async(status_topic_, status_payload("online"), 1, true, [](Result<void>) {});

  const auto begun = context_.clock.mono();
  TaskGroup group(context_.executor);
  group.spawn(watch_loss());
  group.spawn(pump());
  co_await group.run();
  if (context_.clock.mono() - begun > 10s) backoff_.reset();
  co_return fail(Errc::closed, "{}: {}", broker_name_, why_lost_);
}

Task<void> MqttSink::watch_loss() {
  const auto why = co_await client_->lost();
  lost_ = true;
  why_lost_ = why.text;
  pumping_.cancel();
}

Task<void> MqttSink::pump() {
  oldest_sent_ = context_.clock.mono();
  while (!lost_ && !(stopping_ && !client_->connected())) {
    heart_deliver_->beat(120s);
    while (kept_->outbox.under_way() < kWindow) {
      auto* message = kept_->outbox.next_unsent();
      if (message == nullptr) break;
      if (kept_->outbox.under_way() == 1) oldest_sent_ = context_.clock.mono();
      send(*message);
    }
    if (kept_->outbox.under_way() > 0 && context_.clock.mono() - oldest_sent_ > kAcknowledgeLimit) {
      why_lost_ = fmt::format("nothing was acknowledged for {}", for_people(kAcknowledgeLimit));
      lost_ = true;
      co_await client_->disconnect(0ms);
      break;
    }
    co_await sleep_or_woken(pumping_, context_.clock.mono() + 5s);
  }
}

void MqttSink::send(Outbox::Message& message) {
  const bool historical = context_.clock.now() - message.timestamp > message.interval;
  client_->publish_async(
      message.topic, finish_message(message.open_json, historical), message.qos, message.retain,
      [this, generation = generation_, id = message.id, topic = message.topic](Result<void> done) {
        if (generation != generation_) return;
        if (!done && done.error().code != Errc::refused && done.error().code != Errc::invalid)
          return;
        if (!done) {
          ++refused_;
          log_.error("message refused by the broker", field("topic", topic),
                     field("why", done.error().text));
        } else {
          ++acknowledged_;
        }
        kept_->outbox.acknowledge(id);
        oldest_sent_ = context_.clock.mono();
        backoff_.reset();
        pumping_.cancel();
      });
}

Task<void> MqttSink::drain(Duration limit) {
  stopping_ = true;
  // No number is given from here on, so the exact place can be saved before anything may take long.
  if (kept_->sequences) {
    if (auto closed = co_await kept_->sequences->close(); !closed) {
      log_.error("cannot save sequence numbers; some will be skipped",
                 field("why", closed.error().text));
    }
  }
  const auto until = context_.clock.mono() + limit;
  while (kept_->outbox.waiting() > 0 && client_ && client_->connected() &&
         context_.clock.mono() < until) {
    co_await context_.clock.sleep_for(5ms);
  }
  if (kept_->outbox.waiting() > 0) {
    log_.warn("stopped with messages unacknowledged", field("messages", kept_->outbox.waiting()));
  }
  if (client_ && client_->connected()) {
    // A broker that did not take the messages will not take a goodbye either: its will says it for
    // us.
    const auto grace = context_.clock.mono() < until ? 300ms : 0ms;
    auto client = client_;
    client->publish_async(status_topic_, status_payload("offline"), 1, true, [](Result<void>) {});
    co_await client->disconnect(grace);
  }
}

void MqttSink::nudge() {
  backoff_.reset();
  retrying_.cancel();
  feeds_stale_ = true;
  making_.cancel();
}

link::MqttSettings MqttSink::settings(const BrokerConfig& broker) const {
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

std::string MqttSink::status_payload(std::string_view state) const {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("state", state).member("device_id", context_.device_id);
  json.member("timestamp", to_rfc3339(context_.clock.now())).end_object();
  return text;
}

void MqttSink::describe_status(JsonWriter& json) const {
  const bool up = client_ && client_->connected();
  json.member("connected", up);
  json.member("broker", broker_name_);
  json.key("connected_since");
  if (up)
    json.value(to_rfc3339(connected_at_));
  else
    json.null();
  json.member("devices", feeds_.size());
  json.member("waiting", kept_->outbox.waiting());
  json.member("waiting_bytes", kept_->outbox.bytes());
  json.member("under_way", kept_->outbox.under_way());
  json.member("acknowledged", acknowledged_.value);
  json.member("dropped", kept_->outbox.dropped());
  json.member("refused", refused_.value);
  if (!up && !last_error_.empty()) json.member("error", last_error_);
}

}  // namespace lightship::mqtt
