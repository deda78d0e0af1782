// One Paho client for each session, behind the door that MqttClient uses too.
#include "link/mqtt_listener.h"

#include <mutex>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <MQTTAsync.h>

#include "link/mqtt_reasons.h"
#include "link/paho_door.h"

namespace lightship::link {

// Made, used and abandoned on the loop; lives until Paho has let go of it.
class MqttListener::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::any_io_executor executor, const MqttSettings& settings,
          std::vector<std::string> filters, OnMessage on_message)
      : settings_(settings),
        filters_(std::move(filters)),
        on_message_(std::move(on_message)),
        changed_(std::make_unique<asio::steady_timer>(executor, MonoTime::max())),
        executor_(executor) {}

  void connect() {
    PahoDoor::get().post([self = shared_from_this()] { self->start(); });
  }

  void abandon() {
    if (std::exchange(abandoned_, true)) return;
    if (!ended_) ended_ = Error{Errc::cancelled, "the listener is gone", 0};
    changed_.reset();  // wakes who waits; the session itself may end on another thread
    {
      const std::lock_guard lock(mutex_);
      executor_ = {};
      messages_.clear();
    }
    PahoDoor::get().post([self = shared_from_this()] {
      if (self->paho_) MQTTAsync_destroy(&self->paho_);
    });
  }

  bool listening() const { return subscribed_ && !ended_; }
  const std::optional<Error>& ended() const { return ended_; }

  // Returns when something changed, or at `until`.
  Task<void> change(MonoTime until) {
    const auto self = shared_from_this();
    changed_->expires_at(until);
    boost::system::error_code ignored;
    co_await changed_->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    const auto told = co_await asio::this_coro::cancellation_state;
    if (told.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
  }

 private:
  static Session& self(void* context) { return *static_cast<Session*>(context); }

  // On the door.
  void start() {
    const auto uri = uri_of(settings_, settings_.host);
    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
    create.MQTTVersion = MQTTVERSION_3_1_1;
    int refused = MQTTAsync_createWithOptions(&paho_, uri.c_str(), settings_.client_id.c_str(),
                                              MQTTCLIENT_PERSISTENCE_NONE, nullptr, &create);
    if (refused == MQTTASYNC_SUCCESS) {
      MQTTAsync_setCallbacks(paho_, this, on_lost, on_arrived, nullptr);
      MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
      options.MQTTVersion = MQTTVERSION_3_1_1;
      options.keepAliveInterval = static_cast<int>(settings_.keepalive.count());
      options.username = settings_.username.empty() ? nullptr : settings_.username.c_str();
      options.binarypwd = {static_cast<int>(settings_.password.size()),
                           settings_.password.empty() ? nullptr : settings_.password.data()};
      options.onSuccess = on_connected;
      options.onFailure = on_refused;
      options.context = this;
      refused = MQTTAsync_connect(paho_, &options);
    }
    if (refused != MQTTASYNC_SUCCESS)
      end({Errc::unavailable, MQTTAsync_strerror(refused), refused});
  }

  void subscribe() {
    std::vector<char*> names;
    for (auto& filter : filters_) names.push_back(filter.data());
    const std::vector<int> qos(names.size(), 1);
    MQTTAsync_responseOptions answer = MQTTAsync_responseOptions_initializer;
    answer.onSuccess = on_subscribed;
    answer.onFailure = on_refused;
    answer.context = this;
    const int refused = MQTTAsync_subscribeMany(paho_, static_cast<int>(names.size()), names.data(),
                                                qos.data(), &answer);
    if (refused != MQTTASYNC_SUCCESS)
      end({Errc::unavailable, MQTTAsync_strerror(refused), refused});
  }

  // On Paho's threads, with Paho's mutex held.
  static void on_connected(void* context, MQTTAsync_successData*) {
    self(context).tell([](Session& session) {
      PahoDoor::get().post([session = session.shared_from_this()] { session->subscribe(); });
    });
  }
  static void on_subscribed(void* context, MQTTAsync_successData*) {
    self(context).tell([](Session& session) {
      session.subscribed_ = true;
      session.changed_->cancel();
    });
  }
  static void on_refused(void* context, MQTTAsync_failureData* why) {
    const int code = why ? why->code : MQTTASYNC_FAILURE;
    if (code > 0) {
      return self(context).end(
          {Errc::refused,
           "refused by the broker: " + connack_words(code, MqttSettings::Version::v3_1_1), code});
    }
    self(context).end(
        {Errc::unavailable, why && why->message ? why->message : "no connection", code});
  }
  static void on_lost(void* context, char*) {
    self(context).end({Errc::closed, "the connection was lost", 0});
  }
  static int on_arrived(void* context, char* topic, int topic_size, MQTTAsync_message* message) {
    MqttMessage heard{topic_size > 0 ? std::string(topic, static_cast<std::size_t>(topic_size))
                                     : std::string(topic),
                      std::string(static_cast<const char*>(message->payload),
                                  static_cast<std::size_t>(message->payloadlen)),
                      message->retained != 0};
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    auto& session = self(context);
    const std::lock_guard lock(session.mutex_);
    session.messages_.push_back(std::move(heard));
    if (session.messages_.size() == 1 && session.executor_) {
      asio::post(session.executor_, [session = session.shared_from_this()] { session->drain(); });
    }
    return 1;
  }

  template <class F>
  void tell(F what) {  // from any thread, done on the loop
    const std::lock_guard lock(mutex_);
    if (!executor_) return;
    asio::post(executor_, [session = shared_from_this(), what = std::move(what)] {
      if (!session->abandoned_) what(*session);
    });
  }

  void end(Error why) {
    tell([why = std::move(why)](Session& session) {
      if (!session.ended_) session.ended_ = why;
      session.changed_->cancel();
    });
  }

  void drain() {
    std::vector<MqttMessage> messages;
    {
      const std::lock_guard lock(mutex_);
      messages.swap(messages_);
    }
    for (const auto& message : messages) {
      if (abandoned_) return;  // also by what a message before this one caused
      on_message_(message);
    }
  }

  const MqttSettings settings_;
  std::vector<std::string> filters_;
  const OnMessage on_message_;
  std::unique_ptr<asio::steady_timer> changed_;  // loop only, until abandoned
  bool subscribed_ = false, abandoned_ = false;  // loop only
  std::optional<Error> ended_;                   // loop only
  void* paho_ = nullptr;                         // door only

  std::mutex mutex_;  // guards what follows
  asio::any_io_executor executor_;
  std::vector<MqttMessage> messages_;
};

Result<std::unique_ptr<MqttListener>> MqttListener::create(asio::any_io_executor executor,
                                                           MqttSettings settings,
                                                           std::vector<std::string> filters,
                                                           OnMessage on_message) {
  if (auto fine = check(settings); !fine)
    return within(describe(settings), std::move(fine.error()));
  if (settings.use_tls)
    return fail(Errc::invalid, "{}: a listener speaks no TLS", describe(settings));
  if (filters.empty()) return fail(Errc::invalid, "{}: nothing to listen to", describe(settings));
  return std::unique_ptr<MqttListener>(new MqttListener(std::move(executor), std::move(settings),
                                                        std::move(filters), std::move(on_message)));
}

MqttListener::MqttListener(asio::any_io_executor executor, MqttSettings settings,
                           std::vector<std::string> filters, OnMessage on_message)
    : executor_(std::move(executor)),
      settings_(std::move(settings)),
      filters_(std::move(filters)),
      on_message_(std::move(on_message)) {}

MqttListener::~MqttListener() {
  if (session_) session_->abandon();
}

bool MqttListener::listening() const { return session_ && session_->listening(); }

Task<Error> MqttListener::run() {
  if (session_) session_->abandon();
  session_ = std::make_shared<Session>(executor_, settings_, filters_, on_message_);
  return listen(session_, settings_);
}

// Keeps the session, so it may go on when the listener is gone.
Task<Error> MqttListener::listen(std::shared_ptr<Session> session, MqttSettings settings) {
  const auto leave = [](Session* which) { which->abandon(); };
  const std::unique_ptr<Session, decltype(leave)> on_leaving(session.get(), leave);

  SystemClock clock;
  const MonoTime limit = clock.mono() + settings.connect_timeout;
  if (!session->ended()) session->connect();
  while (!session->ended()) {
    const bool listens = session->listening();
    if (!listens && clock.mono() >= limit) {
      co_return Error{Errc::timeout,
                      fmt::format("{}: no answer within {}", describe(settings),
                                  for_people(settings.connect_timeout)),
                      0};
    }
    co_await session->change(listens ? MonoTime::max() : limit);
  }
  auto why = *session->ended();
  why.text = describe(settings) + ": " + why.text;
  co_return why;
}

}  // namespace lightship::link
