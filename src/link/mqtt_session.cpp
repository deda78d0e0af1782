// Paho's C interface, its callbacks and its options.
#include "link/mqtt_session.h"

#include <boost/asio/post.hpp>

#include <MQTTAsync.h>

#include "base/text.h"
#include "link/paho_door.h"

namespace lightship::link {

// Each runs on a thread of Paho's (or on the door, inside a destroy) with Paho's mutex held: note
// the event, and out.
struct MqttSession::Calls {
  static MqttSession& self(void* context) { return *static_cast<MqttSession*>(context); }

  static void connected(void* context, MQTTAsync_successData*) {
    self(context).add({MqttEvent::Kind::connected});
  }
  static void connected5(void* context, MQTTAsync_successData5* answer) {
    int most = 0;
    if (answer &&
        MQTTProperties_hasProperty(&answer->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM))
      most = static_cast<int>(
          MQTTProperties_getNumericValue(&answer->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM));
    self(context).add({MqttEvent::Kind::connected, most});
  }
  static void connect_failed(void* context, MQTTAsync_failureData* why) {
    self(context).add(
        {MqttEvent::Kind::connect_failed, why ? why->code : MQTTASYNC_FAILURE, 0, words(why)});
  }
  static void connect_failed5(void* context, MQTTAsync_failureData5* why) {
    self(context).add({MqttEvent::Kind::connect_failed, code_of(why), 0, words(why)});
  }
  static void lost(void* context, char*) {
    self(context).add({MqttEvent::Kind::lost});
  }  // the cause is always NULL
  static void told_to_go(void* context, MQTTProperties*, enum MQTTReasonCodes reason) {
    self(context).add({MqttEvent::Kind::lost, reason});
  }
  static void disconnected(void* context, MQTTAsync_successData*) {
    self(context).add({MqttEvent::Kind::disconnected});
  }
  static void disconnected5(void* context, MQTTAsync_successData5*) {
    self(context).add({MqttEvent::Kind::disconnected});
  }
  static void not_disconnected(void* context, MQTTAsync_failureData*) {
    self(context).add({MqttEvent::Kind::disconnected});
  }
  static void not_disconnected5(void* context, MQTTAsync_failureData5*) {
    self(context).add({MqttEvent::Kind::disconnected});
  }

  static void published(void* context, MQTTAsync_successData*) { done(context, 0); }
  static void published5(void* context, MQTTAsync_successData5*) { done(context, 0); }
  static void not_published(void* context, MQTTAsync_failureData* why) {
    done(context, why ? why->code : MQTTASYNC_FAILURE);
  }
  static void not_published5(void* context, MQTTAsync_failureData5* why) {
    done(context, code_of(why));
  }

  static int message(void*, char* topic, int, MQTTAsync_message* message) {
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
  }
  static int tls_text(const char* text, size_t size, void* context) {
    auto& session = self(context);
    const std::lock_guard lock(session.mutex_);
    if (!session.tls_text_.empty()) session.tls_text_ += "; ";
    session.tls_text_ += trim(std::string_view(text, size));
    return 1;
  }

  static void done(void* context, int code) {
    auto* slot = static_cast<Slot*>(context);
    auto& session = *slot->session;
    std::uint64_t number = 0;
    {
      const std::lock_guard lock(session.mutex_);
      number = std::exchange(slot->number, 0);
      if (number != 0) session.free_slots_.push_back(slot);
    }
    if (number != 0) session.add({MqttEvent::Kind::published, code, number});
  }
  template <class Why>
  static std::string words(const Why* why) {
    return why && why->message ? why->message : "";
  }
  // Paho puts the broker's reason into one or the other.
  static int code_of(const MQTTAsync_failureData5* why) {
    if (!why) return MQTTASYNC_FAILURE;
    if (why->code > 0 || why->reasonCode < MQTTREASONCODE_UNSPECIFIED_ERROR)
      return why->code == 0 ? MQTTASYNC_FAILURE : why->code;
    return why->reasonCode;
  }
};

MqttSession::MqttSession(boost::asio::any_io_executor executor, MqttSettings settings,
                         OnEvent on_event)
    : settings_(std::move(settings)),
      on_event_(std::move(on_event)),
      executor_(std::move(executor)) {}

void MqttSession::connect(std::string uri) {
  PahoDoor::get().post([self = shared_from_this(), uri = std::move(uri)] { self->start(uri); });
}

void MqttSession::start(const std::string& uri) {
  MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
  // Without a version of its own Paho tries 3.1 after every refusal of 3.1.1.
  create.MQTTVersion =
      settings_.version == MqttSettings::Version::v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  create.maxBufferedMessages =
      65535;  // what is not yet written; beyond 100, the default, sends would fail
  int refused = MQTTAsync_createWithOptions(&paho_, uri.c_str(), settings_.client_id.c_str(),
                                            MQTTCLIENT_PERSISTENCE_NONE, nullptr, &create);
  if (refused == MQTTASYNC_SUCCESS) {
    MQTTAsync_setCallbacks(paho_, this, Calls::lost, Calls::message, nullptr);
    if (create.MQTTVersion == MQTTVERSION_5)
      MQTTAsync_setDisconnected(paho_, this, Calls::told_to_go);
    refused = start_connect();
  }
  if (refused != MQTTASYNC_SUCCESS)
    add({MqttEvent::Kind::connect_failed, refused, 0, MQTTAsync_strerror(refused)});
}

int MqttSession::start_connect() {
  const auto text = [](const std::string& value) {
    return value.empty() ? nullptr : value.c_str();
  };
  const bool v5 = settings_.version == MqttSettings::Version::v5;
  MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
  if (v5) {
    options = MQTTAsync_connectOptions_initializer5;
    options.onSuccess5 = Calls::connected5;
    options.onFailure5 = Calls::connect_failed5;
  } else {
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.onSuccess = Calls::connected;
    options.onFailure = Calls::connect_failed;
  }
  options.context = this;
  options.keepAliveInterval = static_cast<int>(settings_.keepalive.count());
  options.username = text(settings_.username);
  options.binarypwd = {static_cast<int>(settings_.password.size()), text(settings_.password)};
  // Ours is the limit that counts; Paho looks at its own every three seconds.
  options.connectTimeout =
      static_cast<int>(std::chrono::ceil<std::chrono::seconds>(settings_.connect_timeout).count()) +
      5;

  MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
  if (settings_.will) {
    will.topicName = settings_.will->topic.c_str();
    will.payload = {static_cast<int>(settings_.will->payload.size()),
                    settings_.will->payload.data()};
    will.qos = settings_.will->qos;
    will.retained = settings_.will->retain;
    options.will = &will;
  }
  MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
  if (settings_.use_tls) {
    tls.trustStore = text(settings_.ca_file);
    tls.keyStore = text(settings_.cert_file);
    tls.privateKey = text(settings_.key_file);
    tls.enableServerCertAuth = settings_.tls_verify;
    tls.verify = settings_.tls_verify;  // the name in the certificate
    tls.disableDefaultTrustStore = !settings_.tls_verify || !settings_.ca_file.empty();
    tls.ssl_error_cb = Calls::tls_text;
    tls.ssl_error_context = this;
    options.ssl = &tls;
  }
  return MQTTAsync_connect(paho_, &options);
}

void MqttSession::publish(std::uint64_t number, std::string topic, std::string payload, int qos,
                          bool retain) {
  Slot* slot = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (free_slots_.empty()) free_slots_.push_back(&slots_.emplace_back());
    slot = free_slots_.back();
    free_slots_.pop_back();
    *slot = {this, number};
  }
  PahoDoor::get().post([self = shared_from_this(), slot, topic = std::move(topic),
                        payload = std::move(payload), qos, retain] {
    MQTTAsync_responseOptions answer = MQTTAsync_responseOptions_initializer;
    if (self->settings_.version == MqttSettings::Version::v5) {
      answer.onSuccess5 = Calls::published5;
      answer.onFailure5 = Calls::not_published5;
    } else {
      answer.onSuccess = Calls::published;
      answer.onFailure = Calls::not_published;
    }
    answer.context = slot;
    const int refused = MQTTAsync_send(self->paho_, topic.c_str(), static_cast<int>(payload.size()),
                                       payload.data(), qos, retain, &answer);
    if (refused != MQTTASYNC_SUCCESS) Calls::done(slot, refused);
  });
}

void MqttSession::disconnect() {
  PahoDoor::get().post([self = shared_from_this()] {
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    if (self->settings_.version == MqttSettings::Version::v5) {
      options = MQTTAsync_disconnectOptions_initializer5;
      options.onSuccess5 = Calls::disconnected5;
      options.onFailure5 = Calls::not_disconnected5;
    } else {
      options.onSuccess = Calls::disconnected;
      options.onFailure = Calls::not_disconnected;
    }
    options.context = self.get();
    options.timeout = 0;  // with more, Paho looks again after three seconds
    if (MQTTAsync_disconnect(self->paho_, &options) != MQTTASYNC_SUCCESS)
      self->add({MqttEvent::Kind::disconnected});
  });
}

void MqttSession::abandon() {
  abandoned_ = true;
  {
    const std::lock_guard lock(mutex_);
    executor_ = {};
    events_.clear();
  }
  PahoDoor::get().post([self = shared_from_this()] {
    if (self->paho_) MQTTAsync_destroy(&self->paho_);
  });
}

std::string MqttSession::tls_text() {
  const std::lock_guard lock(mutex_);
  return tls_text_;
}

void MqttSession::add(MqttEvent event) {
  const std::lock_guard lock(mutex_);
  if (!executor_) return;
  events_.push_back(std::move(event));
  if (events_.size() > 1) return;  // the loop has been told
  boost::asio::post(executor_, [self = shared_from_this()] { self->drain(); });
}

void MqttSession::drain() {
  std::vector<MqttEvent> events;
  {
    const std::lock_guard lock(mutex_);
    events.swap(events_);
  }
  for (const auto& event : events) {
    if (abandoned_) return;  // also by what an event before this one caused
    on_event_(event);
  }
}

}  // namespace lightship::link
