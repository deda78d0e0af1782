// Drives libcurl's multi interface on one thread.
#include "link/http_client.h"

#include <atomic>
#include <mutex>
#include <thread>

#include <curl/curl.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include "base/text.h"
#include "base/version.h"
#include "link/http_trouble.h"

namespace lightship::link {

using namespace std::chrono_literals;

namespace {

// An answer longer than this is not read to its end: only its start is of any use.
constexpr std::size_t kMostRead = 1 << 20;
// Handles kept for reuse; more at once are made and thrown away.
constexpr std::size_t kIdleHandles = 8;
// A series gives account after so long.
constexpr auto kSeries = 1s;
// Open connections kept for reuse, over all servers.
constexpr long kIdleConnections = 64;

long ms(Duration duration) {
  return std::max<long>(1, std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

// Requests on their way to the thread and back.
struct Exchange {
  Exchange(asio::any_io_executor executor, std::vector<HttpRequest> wanted)
      : home(std::move(executor)), done(home, MonoTime::max()), requests(std::move(wanted)) {}
  ~Exchange() { curl_slist_free_all(headers); }

  // The caller's side: touched on its executor only.
  asio::any_io_executor home;
  asio::steady_timer done;  // never expires; cancelled when there is an answer
  bool over = false;

  // The thread's side, until it is over.
  const std::vector<HttpRequest> requests;
  std::vector<Result<HttpAnswer>> outcomes;
  const MonoTime begun = steady_now();
  const HttpRequest& request() const { return requests[outcomes.size()]; }

  // Of the request that is under way.
  curl_slist* headers = nullptr;
  CURL* easy = nullptr;
  char error[CURL_ERROR_SIZE] = {};
  HttpAnswer answer;
  std::size_t read = 0;
  bool answered = false;  // the headers of a final answer are complete
};

struct HttpClient::Thread {
  using Pointer = std::shared_ptr<Exchange>;

  Thread();
  ~Thread();
  void begin(Pointer exchange);
  void drop(Pointer exchange);

 private:
  void serve();
  void take();  // what came in since
  void start(const Pointer& exchange);
  void prepare(Exchange& exchange);
  void finish(CURL* easy, CURLcode code);
  void release(CURL* easy);
  void tell(const Pointer& exchange, Result<HttpAnswer> outcome);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);

  std::mutex mutex_;
  std::vector<Pointer> fresh_, dropped_;
  bool stopping_ = false;

  CURLM* multi_ = nullptr;
  std::map<CURL*, Pointer> under_way_;
  std::vector<CURL*> idle_;
  std::thread thread_;
};

HttpClient::Thread::Thread() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_ = curl_multi_init();
  if (ready != CURLE_OK || multi_ == nullptr) throw std::runtime_error("libcurl cannot be started");
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnections);
  thread_ = std::thread([this] { serve(); });
}

HttpClient::Thread::~Thread() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  curl_multi_wakeup(multi_);
  thread_.join();
  for (CURL* easy : idle_) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi_);
}

void HttpClient::Thread::begin(Pointer exchange) {
  {
    const std::scoped_lock lock(mutex_);
    fresh_.push_back(std::move(exchange));
  }
  curl_multi_wakeup(multi_);
}

void HttpClient::Thread::drop(Pointer exchange) {
  {
    const std::scoped_lock lock(mutex_);
    dropped_.push_back(std::move(exchange));
  }
  curl_multi_wakeup(multi_);
}

void HttpClient::Thread::serve() {
  for (;;) {
    take();
    {
      const std::scoped_lock lock(mutex_);
      if (stopping_ && fresh_.empty()) break;
    }
    int running = 0;
    curl_multi_perform(multi_, &running);
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
    }
    // Woken by sockets, by curl's own timers and by whoever has something new.
    curl_multi_poll(multi_, nullptr, 0, 60'000, nullptr);
  }
  for (const auto& [easy, exchange] : under_way_) {
    release(easy);
    tell(exchange, fail(Errc::cancelled, "stopped"));
  }
  under_way_.clear();
}

void HttpClient::Thread::take() {
  std::vector<Pointer> fresh, dropped;
  {
    const std::scoped_lock lock(mutex_);
    fresh.swap(fresh_);
    dropped.swap(dropped_);
  }
  for (const auto& exchange : fresh) start(exchange);
  for (const auto& exchange : dropped) {
    if (exchange->easy == nullptr) continue;
    CURL* const easy = std::exchange(exchange->easy, nullptr);
    under_way_.erase(easy);
    release(easy);
  }
}

void HttpClient::Thread::start(const Pointer& exchange) {
  if (auto wrong = check_http_url(exchange->request().url))
    return tell(exchange, fail(Errc::invalid, "the URL {}", *wrong));
  if (idle_.empty()) {
    exchange->easy = curl_easy_init();
  } else {
    exchange->easy = idle_.back();
    idle_.pop_back();
  }
  if (exchange->easy == nullptr) return tell(exchange, fail(Errc::unavailable, "no memory"));
  prepare(*exchange);
  under_way_[exchange->easy] = exchange;
  curl_multi_add_handle(multi_, exchange->easy);
}

void HttpClient::Thread::prepare(Exchange& x) {
  CURL* const easy = x.easy;
  curl_slist_free_all(std::exchange(x.headers, nullptr));
  x.answer = {};
  x.read = 0;
  x.answered = false;
  x.error[0] = '\0';
  const auto set = [easy](CURLoption option, const auto& value) {
    curl_easy_setopt(easy, option, value);
  };
  const auto& settings = *x.request().settings;
  set(CURLOPT_ERRORBUFFER, x.error);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a name that is still looked up holds nobody up
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_URL, x.request().url.c_str());
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  const std::string agent = fmt::format("lightship/{}", version());
  set(CURLOPT_USERAGENT, agent.c_str());

  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDS, x.request().body.c_str());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(x.request().body.size()));
  // Without it a body of some size would wait up to a second for "100 Continue".
  x.headers = curl_slist_append(nullptr, "Expect:");
  for (const auto& [name, value] : x.request().headers) {
    const auto line = trim(value).empty() ? name + ";" : fmt::format("{}: {}", name, trim(value));
    x.headers = curl_slist_append(x.headers, line.c_str());
  }
  set(CURLOPT_HTTPHEADER, x.headers);
  set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));  // not for the proxy's eyes

  set(CURLOPT_CONNECTTIMEOUT_MS, ms(std::min(settings.connect_timeout, settings.timeout)));
  set(CURLOPT_TIMEOUT_MS, ms(settings.timeout));
  set(CURLOPT_HEADERFUNCTION, &Thread::on_header);
  set(CURLOPT_HEADERDATA, &x);
  set(CURLOPT_WRITEFUNCTION, &Thread::on_body);
  set(CURLOPT_WRITEDATA, &x);

  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_PROXY_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, settings.tls_verify ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, settings.tls_verify ? 2L : 0L);
  if (!settings.ca_file.empty()) {
    set(CURLOPT_CAINFO, settings.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // these alone, not the system's beside them
  }
  if (!settings.cert_file.empty()) set(CURLOPT_SSLCERT, settings.cert_file.c_str());
  const auto& key = settings.key_file.empty() ? settings.cert_file : settings.key_file;
  if (!key.empty()) set(CURLOPT_SSLKEY, key.c_str());

  if (settings.proxy == "none") {
    set(CURLOPT_PROXY, "");
  } else if (!settings.proxy.empty()) {
    set(CURLOPT_PROXY, settings.proxy.c_str());
    set(CURLOPT_NOPROXY, "");  // who names a proxy means it, whatever the environment says
  }
  if (!settings.proxy_username.empty()) {
    set(CURLOPT_PROXYUSERNAME, settings.proxy_username.c_str());
    set(CURLOPT_PROXYPASSWORD, settings.proxy_password.c_str());
  }
}

std::size_t HttpClient::Thread::on_header(char* data, std::size_t size, std::size_t count,
                                          void* self) {
  auto& x = *static_cast<Exchange*>(self);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {
    x.answered = false;
    x.answer.retry_after.reset();
    x.answer.location.reset();
  } else if (trim(line).empty()) {
    long status = 0;
    curl_easy_getinfo(x.easy, CURLINFO_RESPONSE_CODE, &status);
    x.answered = status >= 200;
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    const auto name = to_lower(trim(line.substr(0, colon)));
    const auto value = trim(line.substr(colon + 1)).substr(0, 1000);
    if (name == "retry-after") x.answer.retry_after = value;
    if (name == "location") x.answer.location = value;
  }
  return size * count;
}

std::size_t HttpClient::Thread::on_body(char* data, std::size_t size, std::size_t count,
                                        void* self) {
  auto& x = *static_cast<Exchange*>(self);
  const std::string_view piece(data, size * count);
  auto& kept = x.answer.body;
  kept += piece.substr(0, HttpAnswer::kKept - std::min(kept.size(), HttpAnswer::kKept));
  x.read += piece.size();
  return x.read > kMostRead ? 0 : piece.size();
}

void HttpClient::Thread::finish(CURL* easy, CURLcode code) {
  const auto known = under_way_.find(easy);
  if (known == under_way_.end()) return;
  const auto exchange = known->second;
  auto& x = *exchange;
  under_way_.erase(known);

  curl_off_t took = 0;
  curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &took);
  long status = 0, connections = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connections);
  std::optional<Error> trouble;
  if (!x.answered)
    trouble = http_trouble(easy, code, x.error, *x.request().settings, x.request().body.size());
  x.easy = nullptr;
  release(easy);
  if (trouble) return tell(exchange, fail(std::move(*trouble)));
  x.answer.status = static_cast<int>(status);
  x.answer.whole = code == CURLE_OK;
  x.answer.fresh = connections > 0;
  x.answer.took = Duration(took);
  tell(exchange, std::move(x.answer));
}

void HttpClient::Thread::release(CURL* easy) {
  curl_multi_remove_handle(multi_, easy);
  if (idle_.size() >= kIdleHandles) return curl_easy_cleanup(easy);
  curl_easy_reset(easy);
  idle_.push_back(easy);
}

// The outcome of one; the next of the series is begun, or the caller told.
void HttpClient::Thread::tell(const Pointer& exchange, Result<HttpAnswer> outcome) {
  auto& x = *exchange;
  const bool well = outcome && outcome->status >= 200 && outcome->status < 300;
  x.outcomes.push_back(std::move(outcome));
  if (well && x.outcomes.size() < x.requests.size() && steady_now() - x.begun < kSeries)
    return start(exchange);
  asio::post(x.home, [exchange] {
    exchange->over = true;
    exchange->done.cancel();
  });
}

HttpClient::HttpClient() : thread_(std::make_shared<Thread>()) {}
HttpClient::~HttpClient() = default;

Task<Result<HttpAnswer>> HttpClient::post(HttpRequest request) {
  std::vector<HttpRequest> one;
  one.push_back(std::move(request));
  auto outcomes = co_await post_each(std::move(one));
  co_return std::move(outcomes.front());
}

Task<std::vector<Result<HttpAnswer>>> HttpClient::post_each(std::vector<HttpRequest> requests) {
  const auto exchange =
      std::make_shared<Exchange>(co_await asio::this_coro::executor, std::move(requests));
  // The client may go first where a whole loop is thrown away.
  const auto give_up = [thread = std::weak_ptr(thread_)](const std::shared_ptr<Exchange>* mine) {
    const auto alive = thread.lock();
    if (alive && !(*mine)->over) alive->drop(*mine);
  };
  const std::unique_ptr<const std::shared_ptr<Exchange>, decltype(give_up)> on_leaving(&exchange,
                                                                                       give_up);
  thread_->begin(exchange);
  while (!exchange->over) {
    boost::system::error_code ended;
    co_await exchange->done.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    const auto told = co_await asio::this_coro::cancellation_state;
    if (told.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return std::move(exchange->outcomes);
}

}  // namespace lightship::link
