// Posts parcels and does what the answers say.
#include "sinks/http/courier.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "link/gzip.h"
#include "sinks/http/url.h"
#include "store/outbox_status.h"

namespace lightship::http {

using namespace std::chrono_literals;

namespace {

// A server that is asked to take more in one request than this is likely to refuse it.
constexpr std::size_t kMostBytes = 1 << 20;
// What is kept of an answer as the reason.
constexpr std::size_t kMostReason = 300;
// Single messages that are posted one after the other without coming back in between.
constexpr std::size_t kSeries = 32;
// The pauses after a failure: with up to half of each taken off, so that many gateways do not come
// back to a server at once.
constexpr Backoff::Settings kSoon{.first = 1s, .limit = 60s, .jitter = 0.5};
// After a refusal somebody has to do something, and a reload tries at once.
constexpr Backoff::Settings kLater{.first = 5s, .limit = 300s, .jitter = 0.2};
// One wrong message is the message's fault; so many in a row without a good one are not.
constexpr unsigned kSuspicious = 10;
// How long measurements hold back for alerts that are about to be delivered.
constexpr Duration kCourtesy = 1s;
constexpr std::string_view kRefused = "http-refused", kAside = "http-set-aside";

std::string config_path(const Context& context, const std::string& name) {
  return name.empty() ? name : (context.config_dir / name).string();
}

// What must not be shown of an endpoint: the values of its headers, whole and word by word ("Bearer
// TOKEN"), what stands behind the '?' of its URL and before its '@', and the password of its proxy.
// The longer ones first.
std::vector<std::string> secrets_of(const EndpointConfig& endpoint) {
  constexpr std::size_t kLongEnough = 4, kLongWord = 8;
  std::vector<std::string> secrets;
  for (const auto& [name, value] : endpoint.headers) {
    if (value.reveal().size() >= kLongEnough) secrets.push_back(value.reveal());
    for (const auto word : split(value.reveal(), ' ')) {
      if (word.size() >= kLongWord) secrets.emplace_back(word);
    }
  }
  const auto query = endpoint.url.find('?');
  if (query != std::string::npos) secrets.push_back(endpoint.url.substr(query + 1));
  const auto scheme = endpoint.url.find("://");
  if (scheme != std::string::npos) {
    const auto authority = std::string_view(endpoint.url).substr(scheme + 3);
    const auto at = authority.substr(0, authority.find_first_of("/?#")).rfind('@');
    if (at != std::string_view::npos) {
      const auto user = authority.substr(0, at);
      secrets.emplace_back(user);
      const auto colon = user.find(':');
      if (colon != std::string_view::npos) secrets.emplace_back(user.substr(colon + 1));
    }
  }
  secrets.push_back(endpoint.proxy_password.reveal());
  std::erase_if(secrets, [](const auto& secret) { return secret.size() < kLongEnough; });
  std::ranges::sort(secrets, std::ranges::greater{}, &std::string::size);
  return secrets;
}

Url kind_of(std::string_view url) {
  for (const auto name : {"connection_id", "client_id", "point"}) {
    if (has_placeholder(url, name)) return Url::of_device;
  }
  return Url::shared;
}

std::uint64_t seed_of(std::string_view name) { return std::hash<std::string_view>{}(name); }

}  // namespace

Courier::Courier(Context& context, Settings settings, std::shared_ptr<OutboxQueue> queue, Post post,
                 std::shared_ptr<Precedence> precedence)
    : context_(context),
      settings_(std::move(settings)),
      queue_(std::move(queue)),
      post_(std::move(post)),
      precedence_(std::move(precedence)),
      host_(link::shown_url(fill_url(settings_.endpoint.url, {}))),
      secrets_(secrets_of(settings_.endpoint)),
      url_kind_(kind_of(settings_.endpoint.url)),
      log_(context.logbook, settings_.name),
      timer_(context.executor),
      soon_(kSoon, seed_of(context.device_id + settings_.name)),
      later_(kLater, seed_of(context.device_id + settings_.name)),
      requests_(context.metrics.counter("http_requests_total", "requests sent",
                                        {{"sink", settings_.name}})),
      acknowledged_(context.metrics.counter("http_acknowledged_total",
                                            "messages the endpoint has acknowledged",
                                            {{"sink", settings_.name}})),
      retried_(context.metrics.counter("http_retried_total", "requests that have to be sent again",
                                       {{"sink", settings_.name}})),
      set_aside_(context.metrics.counter("http_set_aside_total",
                                         "messages the endpoint will never take",
                                         {{"sink", settings_.name}})),
      refusals_(context.metrics.counter("http_refused_total",
                                        "requests refused for credentials or the URL",
                                        {{"sink", settings_.name}})),
      bytes_(context.metrics.counter("http_sent_bytes_total", "bytes of request bodies",
                                     {{"sink", settings_.name}})),
      connections_(context.metrics.counter("http_connections_total", "connections opened",
                                           {{"sink", settings_.name}})) {
  link::HttpSettings link;
  const auto& endpoint = settings_.endpoint;
  link.timeout = endpoint.timeout;
  link.tls_verify = endpoint.tls_verify;
  link.ca_file = config_path(context, endpoint.ca_file);
  link.cert_file = config_path(context, endpoint.cert_file);
  link.key_file = config_path(context, endpoint.key_file);
  link.proxy = endpoint.proxy.reveal();
  link.proxy_username = endpoint.proxy_username;
  link.proxy_password = endpoint.proxy_password.reveal();
  link_settings_ = std::make_shared<const link::HttpSettings>(std::move(link));
  context.metrics.gauge("sink_connected", "1 while there is a session", {{"sink", settings_.name}},
                        [this] { return last_success_ != Time{} && !down_ ? 1.0 : 0.0; });
  queue_->resend_all();  // what a predecessor had in hand
  queue_->on_ready([this] {
    if (in_hand_.empty() && !pausing_) trying_since_ = context_.clock.mono();
    timer_.cancel();
  });
  if (settings_.alerts) precedence_->alerts = this;
}

Courier::~Courier() {
  if (precedence_->alerts == this) precedence_->alerts = nullptr;
  queue_->on_ready({});
  queue_->resend_all();
  context_.metrics.remove_gauges({"sink", settings_.name});
  // What is wrong with the endpoint may still be for a successor, which will say so or clear it.
  if (!removed_) return;
  for (const auto rule : {kRefused, kAside}) context_.alerts.clear(rule, settings_.name);
}

Task<void> Courier::run() {
  heart_ = context_.progress.enroll(settings_.name);
  for (;;) {
    heart_->beat(60s);
    if (next_pause_ > Duration::zero()) co_await pause(std::exchange(next_pause_, Duration{}));
    if (in_hand_.empty()) co_await collect();
    if (in_hand_.empty()) continue;
    co_await let_alerts_go_first();
    co_await deliver();
  }
}

Task<void> Courier::collect() {
  if (queue_->peek() == nullptr) {
    co_await context_.clock.sleep_unless_woken(context_.clock.mono() + 20s, timer_);
    if (queue_->peek() == nullptr) co_return;
  }
  if (settings_.batch == 1) {
    for (std::size_t bytes = 0; in_hand_.size() < kSeries && bytes < kMostBytes;) {
      const auto* message = queue_->next();
      if (message == nullptr) co_return;
      in_hand_.push_back({{*message}, false});
      bytes += message->open_json.size();
    }
    co_return;
  }
  Parcel parcel;
  parcel.array = true;
  const auto until = context_.clock.mono() + settings_.batch_wait;
  for (;;) {
    while (const auto* message = queue_->peek()) {
      if (!parcel.messages.empty() && !fits(parcel, *message)) break;
      parcel.messages.push_back(*queue_->next());
    }
    const bool more_would_fit =
        queue_->peek() == nullptr && parcel.messages.size() < settings_.batch;
    if (!more_would_fit || stopping_ || context_.clock.mono() >= until) break;
    heart_->beat(settings_.batch_wait + 60s);
    co_await context_.clock.sleep_unless_woken(until, timer_);
  }
  in_hand_.assign(1, std::move(parcel));
}

bool Courier::fits(const Parcel& parcel, const OutboxMessage& message) const {
  return parcel.messages.size() < settings_.batch &&
         parcel.bytes() + message.open_json.size() <= kMostBytes &&
         message.lane == parcel.messages.front().lane &&
         url_of(message) == url_of(parcel.messages.front());
}

// A moment only: an endpoint for alerts that hangs must not stop the measurements. Whoever comes
// back after an outage lets the alerts try first too.
Task<void> Courier::let_alerts_go_first() {
  if (settings_.alerts || stopping_) co_return;
  if (down_ && precedence_->alerts != nullptr && !precedence_->alerts->refused())
    precedence_->alerts->nudge();
  const auto until = context_.clock.mono() + kCourtesy;
  for (;;) {
    const Courier* alerts = precedence_->alerts;
    const auto now = context_.clock.mono();
    if (alerts == nullptr || !alerts->about_to_deliver() || now >= until ||
        now - alerts->trying_since() >= kCourtesy)
      co_return;
    co_await context_.clock.sleep_for(10ms);
  }
}

Task<void> Courier::deliver() {
  heart_->beat(settings_.endpoint.timeout + 60s);
  trying_since_ = context_.clock.mono();
  std::vector<link::HttpRequest> requests;
  for (const auto& parcel : in_hand_) {
    requests.push_back(request(parcel));
    // One knocks before all come in; and batches are large enough to be looked at one by one.
    if (down_ || parcel.array) break;
  }
  std::vector<std::size_t> sizes;
  for (const auto& request : requests) sizes.push_back(request.body.size());
  const auto outcomes = co_await post_(std::move(requests));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    ++requests_;
    bytes_ += sizes[i];
    settle(outcomes[i]);
  }
}

void Courier::settle(const Result<link::HttpAnswer>& outcome) {
  last_status_ = outcome ? outcome->status : 0;
  if (outcome && outcome->fresh) ++connections_;
  auto& parcel = in_hand_.front();
  switch (judge(outcome, parcel.messages.size(), url_kind_)) {
    case Verdict::delivered:
      return delivered();
    case Verdict::retry:
      return failed(outcome, false);
    case Verdict::refused:
      return failed(outcome, true);
    case Verdict::split:
      log_.warn("a batch is refused and sent in halves", field("messages", parcel.messages.size()),
                field("why", reason(outcome)));
      in_hand_.insert(in_hand_.begin() + 1, parcel.halve());
      return;
    case Verdict::set_aside:
      return set_aside(reason(outcome));
  }
}

void Courier::delivered() {
  for (const auto& message : in_hand_.front().messages) {
    queue_->acknowledge(message.id);
    ++acknowledged_;
  }
  in_hand_.pop_front();
  if (std::exchange(down_, false))
    log_.info("delivering", field("endpoint", host_), field("waiting", queue_->waiting()));
  refused_ = false;
  aside_in_a_row_ = 0;
  url_aside_.clear();
  last_success_ = context_.clock.now();
  last_error_.clear();
  soon_.reset();
  later_.reset();
  for (const auto rule : {kRefused, kAside}) context_.alerts.clear(rule, settings_.name);
}

void Courier::set_aside(const std::string& reason) {
  for (const auto& message : in_hand_.front().messages) {
    log_.error("a message is set aside: the endpoint will not take it", field("endpoint", host_),
               field("of", message.key), field("sequence", message.sequence), field("why", reason));
    queue_->set_aside(message.id, reason);
    ++set_aside_;
  }
  // Many messages to one URL that is refused are one reason for suspicion.
  auto url = refuses_url(last_status_) ? url_of(in_hand_.front().messages.front()) : std::string();
  if (url.empty() || url != url_aside_) ++aside_in_a_row_;
  url_aside_ = std::move(url);
  in_hand_.pop_front();
  last_error_ = reason;
  if (aside_in_a_row_ < kSuspicious) return;
  // All of them cannot be wrong. What still waits is not thrown after the others in a hurry.
  next_pause_ = later_.next();
  context_.alerts.raise(
      {.rule = std::string(kAside),
       .point = settings_.name,
       .severity = Alert::Severity::warning,
       .text = fmt::format("{} has refused {} messages in a row and taken none: {}. They are set "
                           "aside; check the endpoint and the shape of its messages",
                           host_, aside_in_a_row_, reason)});
}

void Courier::failed(const Result<link::HttpAnswer>& outcome, bool refused) {
  last_error_ = reason(outcome);
  down_ = true;
  refused_ = refused;
  ++retried_;
  next_pause_ = refused ? later_.next() : soon_.next();
  if (outcome && outcome->retry_after) {
    const auto asked =
        parse_retry_after(*outcome->retry_after, context_.clock.now()).value_or(Duration::zero());
    // A little later than asked for, each gateway by another bit.
    if (asked > Duration::zero())
      next_pause_ =
          std::max(refused ? next_pause_ : asked, asked + std::min(next_pause_, asked / 10));
  }
  if (!refused) {
    context_.alerts.clear(kRefused, settings_.name);
    log_.warn("not delivered, it is tried again", field("endpoint", host_),
              field("why", last_error_), field("again_in", for_people(next_pause_)));
    return;
  }
  ++refusals_;
  log_.error("refused: the endpoint or our credentials are wrong; nothing is lost meanwhile",
             field("endpoint", host_), field("why", last_error_),
             field("again_in", for_people(next_pause_)));
  context_.alerts.raise(
      {.rule = std::string(kRefused),
       .point = settings_.name,
       .severity = Alert::Severity::critical,
       .text = fmt::format("{} refuses us: {}. Messages are kept and wait; check url, headers, "
                           "certificate and proxy of the endpoint",
                           host_, last_error_)});
}

Task<void> Courier::pause(Duration how_long) {
  const auto until = context_.clock.mono() + how_long;
  next_try_ = context_.clock.now() + how_long;
  heart_->beat(how_long + 60s);
  pausing_ = true;
  nudged_ = false;
  while (!nudged_ && context_.clock.mono() < until)
    co_await context_.clock.sleep_unless_woken(until, timer_);
  pausing_ = false;
  next_try_ = {};
}

void Courier::nudge() {
  soon_.reset();
  later_.reset();
  nudged_ = true;
  timer_.cancel();
}

Task<void> Courier::drain(Duration limit) {
  stopping_ = true;
  timer_.cancel();
  const auto until = context_.clock.mono() + limit;
  co_await queue_->flush(limit);
  while (about_to_deliver() && context_.clock.mono() < until)
    co_await context_.clock.sleep_for(5ms);
  if (queue_->waiting() > 0)
    log_.info("stopped with messages waiting", field("messages", queue_->waiting()));
  // What was acknowledged last need not be sent again.
  co_await queue_->flush(std::max<Duration>(
      std::chrono::duration_cast<Duration>(until - context_.clock.mono()), 100ms));
}

std::string Courier::url_of(const OutboxMessage& message) const {
  // The target is CONNECTION/CLIENT[/POINT]: the URL is made when it is sent, so that a corrected
  // one is used for what waits too.
  const std::string_view target = message.target;
  const auto first = target.find('/');
  const auto second = first == std::string_view::npos ? first : target.find('/', first + 1);
  const auto connection = target.substr(0, first);
  const auto client =
      first == std::string_view::npos
          ? std::string_view{}
          : target.substr(first + 1,
                          second == std::string_view::npos ? second : second - first - 1);
  const auto point =
      second == std::string_view::npos ? std::string_view{} : target.substr(second + 1);
  const std::pair<std::string_view, std::string_view> values[] = {{"device_id", context_.device_id},
                                                                  {"connection_id", connection},
                                                                  {"client_id", client},
                                                                  {"type", settings_.type},
                                                                  {"point", point}};
  return fill_url(settings_.endpoint.url, values);
}

link::HttpRequest Courier::request(const Parcel& parcel) const {
  link::HttpRequest request;
  request.settings = link_settings_;
  request.url = url_of(parcel.messages.front());
  request.body = body_of(parcel, context_.clock.now(), context_.clock.mono());
  bool typed = false;
  for (const auto& [name, value] : settings_.endpoint.headers) {
    typed = typed || to_lower(name) == "content-type";
    request.headers.emplace_back(name, value.reveal());
  }
  if (!typed) request.headers.emplace_back("Content-Type", "application/json");
  if (settings_.endpoint.gzip) {
    request.headers.emplace_back("Content-Encoding", "gzip");
    request.body = link::gzip(request.body);
  }
  request.headers.emplace_back(
      "Idempotency-Key",
      idempotency_key(
          parcel, context_.device_id,
          // Without a disk the numbers begin again at 1.
          context_.data_dir.empty() ? settings_.name + '-' + start_id() : settings_.name));
  return request;
}

// A server may repeat in its answer what it was sent.
std::string Courier::reason(const Result<link::HttpAnswer>& outcome) const {
  return reason_of(outcome, kMostReason, secrets_);
}

void Courier::describe_status(JsonWriter& json) const {
  const auto time = [&json](std::string_view name, Time when) {
    json.key(name);
    if (when == Time{})
      json.null();
    else
      json.value(to_rfc3339(when));
  };
  json.member("endpoint", host_);
  json.member("connected", last_success_ != Time{} && !down_);
  json.key("last_status");
  if (last_status_ == 0)
    json.null();
  else
    json.value(last_status_);
  time("last_success", last_success_);
  time("next_try", next_try_);
  describe_queue(json, *queue_);
  json.member("acknowledged", acknowledged_.value);
  json.member("retried", retried_.value);
  json.member("refused", refusals_.value);
  if (!last_error_.empty()) json.member("error", last_error_);
}

}  // namespace lightship::http
