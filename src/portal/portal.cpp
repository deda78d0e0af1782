// Routes the few paths there are so far; the pages grow from here.
#include "portal/portal.h"

#include <boost/asio/redirect_error.hpp>

#include "base/json_writer.h"
#include "base/text.h"

namespace lightship::portal {

using namespace std::chrono_literals;

namespace {

// The field loop answers in a millisecond; one that has not after this long hangs.
constexpr auto kFieldPatience = 1s;
constexpr auto kListenAgain = 5s;

// Runs `question` on the field loop; nothing when it does not answer in time.
Task<std::optional<std::string>> ask(asio::any_io_executor field,
                                     std::function<std::string()> question) {
  const auto home = co_await asio::this_coro::executor;
  struct Waiting {
    explicit Waiting(const asio::any_io_executor& on) : answered(on, kFieldPatience) {}
    asio::steady_timer answered;
    std::optional<std::string> answer;
  };
  const auto waiting = std::make_shared<Waiting>(home);
  // The field loop may outlive this one with the question still in its queue: it holds no more than
  // a weak hand on the timer here.
  asio::post(field, [asker = std::weak_ptr(waiting), home, question = std::move(question)] {
    if (asker.expired()) return;
    asio::post(home, [asker, answer = question()]() mutable {
      const auto still = asker.lock();
      if (!still) return;
      still->answer = std::move(answer);
      still->answered.cancel();
    });
  });
  boost::system::error_code woken;
  co_await waiting->answered.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  co_return std::move(waiting->answer);
}

Response busy() {
  return problem(503, "Not answering", "the gateway's loop did not answer within 1 s");
}

bool is_loopback(const std::string& address) {
  boost::system::error_code failed;
  const auto parsed = asio::ip::make_address(address, failed);
  return !failed && parsed.is_loopback();
}

}  // namespace

struct Portal::State {
  State(asio::any_io_executor on, Sources with, Logbook& book)
      : field(std::move(on)), sources(std::move(with)), log(book, "portal") {}

  asio::any_io_executor field;
  Sources sources;
  Log log;
  asio::io_context loop{1};
  std::unique_ptr<TaskGroup> tasks;
  std::unique_ptr<HttpServer> server;
  std::thread thread;
  PortalSettings settings;
  std::function<void(std::string)> listening;

  Task<Response> route(Request request);
  Task<Response> told(std::function<std::string()> question, std::string content_type);
  Task<Response> health(bool ready);
  Task<void> live();
};

Task<Response> Portal::State::told(std::function<std::string()> question,
                                   std::string content_type) {
  auto text = co_await ask(field, std::move(question));
  if (!text) co_return busy();
  co_return Response{200, std::move(content_type), std::move(*text), {}};
}

Task<Response> Portal::State::health(bool ready) {
  auto answer = co_await ask(field, [this, ready] {
    if (ready && !sources.ready()) return std::string("starting");
    return join(sources.late(), ", ");
  });
  Response response;
  response.content_type = "application/json";
  const bool good = answer && answer->empty();
  response.status = good ? 200 : 503;
  JsonWriter json(response.body);
  json.begin_object().member("status", good ? "ok" : answer ? "late" : "hanging");
  if (answer && !answer->empty()) json.member("detail", *answer);
  json.end_object();
  co_return response;
}

Task<Response> Portal::State::route(Request request) {
  if (request.path == "/healthz" || request.path == "/readyz") {
    if (request.method != "GET")
      co_return problem(405, "Method not allowed", "only GET and HEAD are known here");
    co_return co_await health(request.path == "/readyz");
  }
  // Until there are logins, only this machine is told more.
  const bool here = is_loopback(settings.address) && request.peer.is_loopback();
  const bool may = here || (settings.metrics_public && request.path == "/metrics");
  if (!may) co_return problem(401, "Not logged in", "this is told on the loopback address only");
  const bool known =
      request.path == "/metrics" || request.path == "/api/status" || request.path == "/";
  if (!known) co_return problem(404, "Not found", request.path + " is not known here");
  if (request.method != "GET")
    co_return problem(405, "Method not allowed", "only GET and HEAD are known here");
  if (request.path == "/metrics")
    co_return co_await told(sources.metrics, "text/plain; version=0.0.4; charset=utf-8");
  if (request.path == "/api/status") co_return co_await told(sources.status, "application/json");
  co_return co_await told(sources.page, "text/html; charset=utf-8");
}

Task<void> Portal::State::live() {
  for (;;) {
    server = std::make_unique<HttpServer>(
        loop.get_executor(), [this](Request request) { return route(std::move(request)); });
    auto bound = server->listen(settings.address, settings.port);
    if (!bound && !settings.port_named) {
      log.warn("port is taken, another one is used", lightship::field("why", bound.error().text),
               lightship::field("wanted", settings.port));
      bound = server->listen(settings.address, 0);
    }
    if (bound) {
      const bool v6 = settings.address.find(':') != std::string::npos;
      const auto shown = settings.address == "0.0.0.0" || settings.address == "::"
                             ? std::string("127.0.0.1")
                             : settings.address;
      const auto url = fmt::format("http://{}{}{}:{}", v6 && shown != "127.0.0.1" ? "[" : "", shown,
                                   v6 && shown != "127.0.0.1" ? "]" : "", server->port());
      log.info("listening", lightship::field("url", url));
      asio::post(field, [told = listening, url] { told(url); });
      co_await server->serve();
    } else {
      log.error("cannot listen", lightship::field("why", bound.error().text),
                lightship::field("again_in", for_people(kListenAgain)));
    }
    asio::steady_timer pause(loop, kListenAgain);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

Portal::Portal(asio::any_io_executor field, Sources sources, Logbook& logbook)
    : state_(std::make_shared<State>(std::move(field), std::move(sources), logbook)) {}

Portal::~Portal() { stop(); }

void Portal::start(const PortalSettings& settings, std::function<void(std::string)> listening) {
  stop();
  state_->settings = settings;
  state_->listening = std::move(listening);
  state_->loop.restart();
  state_->tasks = std::make_unique<TaskGroup>(state_->loop.get_executor());
  state_->tasks->spawn(state_->live());
  state_->thread = std::thread([state = state_] { state->loop.run(); });
}

void Portal::stop() {
  if (!state_->thread.joinable()) return;
  asio::post(state_->loop, [state = state_] {
    state->tasks->cancel();
    if (state->server) state->server->close();
  });
  state_->thread.join();
  state_->server.reset();
  state_->tasks.reset();
}

}  // namespace lightship::portal
