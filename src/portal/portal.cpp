// Puts the portal together: table of routes, listener, thread.
#include "portal/portal.h"

#include <thread>

#include <boost/asio/redirect_error.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "portal/api/groups.h"
#include "portal/api/health.h"
#include "portal/api/openapi.h"
#include "portal/api/service.h"
#include "portal/field.h"
#include "portal/http/rate_limit.h"
#include "portal/http/server.h"
#include "portal/router.h"
#include "portal/site_files.h"

namespace lightship::portal {

using namespace std::chrono_literals;

namespace {

constexpr auto kListenAgain = 5s;
constexpr double kBurst = 10;  // seconds' worth at once

bool is_loopback(const std::string& address) {
  boost::system::error_code failed;
  const auto parsed = asio::ip::make_address(address, failed);
  return !failed && parsed.is_loopback();
}

// "http://127.0.0.1:8080": where a browser on this machine finds it.
std::string url_of(const Settings& settings, std::uint16_t port) {
  const bool any = settings.address == "0.0.0.0" || settings.address == "::";
  const auto host = any ? std::string("127.0.0.1") : settings.address;
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", settings.tls == Settings::Tls::none ? "http" : "https",
                     v6 ? "[" : "", host, v6 ? "]" : "", port);
}

}  // namespace

// While it runs; made anew by each start.
struct Rooms {
  Rooms(Context& context, const Program& of, const Settings& with)
      : settings(with),
        program(of),
        log(context.logbook, "portal"),
        clock(context.clock),
        files_folder(context.data_dir),
        field(context),
        guests({settings.guest_rate, settings.guest_rate * kBurst}),
        callers({settings.session_rate, settings.session_rate * kBurst}),
        router(gate, [this](const Request& request, const std::optional<Caller>& caller) {
          return pages.answer(request, caller);
        }) {
    gate.here = is_loopback(settings.address);
    const bool open = settings.metrics_public || is_loopback(settings.address);
    add_health(router, field, program, open);
    add_service(router, field, program);
    router.add({"GET", "/api/status", Role::viewer,
                [this](const Call&) { return told(this->program.status, "application/json"); }});
    add_openapi(router);
  }

  Task<Response> told(std::function<std::string()> question, std::string type) {
    auto text = co_await field.ask<std::string>([question](Context&) { return question(); });
    if (!text) co_return problem(503, "Service Unavailable", "The gateway's loop did not answer.");
    Response response;
    response.content_type = std::move(type);
    response.body = std::move(*text);
    co_return response;
  }

  // Until there are accounts.
  struct LoopbackGate : Gate {
    bool here = false;
    std::optional<Caller> who(const Request& request) override {
      if (!here || !request.peer.is_loopback()) return std::nullopt;
      return Caller{"admin", Role::admin, "", "local", "", false};
    }
  };

  Task<Response> answer(const Request& request);
  Result<std::shared_ptr<asio::ssl::context>> tls();
  Task<void> live(asio::any_io_executor executor, std::function<void(std::string)> listening);

  const Settings settings;
  const Program& program;
  Log log;
  Clock& clock;
  const std::filesystem::path files_folder;
  Field field;
  LoopbackGate gate;
  SiteFiles pages;
  RateLimit guests, callers;
  Router router;
  std::unique_ptr<HttpServer> server;
};

Task<Response> Rooms::answer(const Request& request) {
  const auto caller = gate.who(request);
  const auto wait = caller ? callers.take(caller->session + caller->token, clock.mono())
                           : guests.take(request.peer.to_string(), clock.mono());
  if (wait) {
    auto refused = problem(429, "Too Many Requests", fmt::format("Again in {}.", for_people(*wait)),
                           "too-many-requests");
    refused.headers.emplace_back(
        "Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(*wait).count()));
    co_return refused;
  }
  std::exception_ptr why;
  try {
    co_return co_await router.answer(request);
  } catch (...) {
    why = std::current_exception();
  }
  if (is_cancellation(why)) std::rethrow_exception(why);
  try {
    std::rethrow_exception(why);
  } catch (const std::exception& defect) {
    log.error("a defect answered a request", lightship::field("path", request.path),
              lightship::field("what", defect.what()));
  }
  co_return problem(500, "Internal Server Error", "This is a defect; the log says more.");
}

Result<std::shared_ptr<asio::ssl::context>> Rooms::tls() {
  if (settings.tls == Settings::Tls::none) return nullptr;
  auto files = settings.tls_files;
  if (settings.tls == Settings::Tls::own) {
    if (files_folder.empty())
      return fail(Errc::unavailable, "tls: auto needs a data directory to keep the certificate in");
    auto own = own_certificate(files_folder, own_names(), clock.now());
    if (!own) return fail(own.error());
    files = *own;
  }
  auto loaded = load_tls(files);
  if (!loaded) return fail(loaded.error());
  log.info("certificate", lightship::field("file", files.certificate.string()),
           lightship::field("sha256", loaded->fingerprint),
           lightship::field("until", to_rfc3339(loaded->expires)));
  if (loaded->expires < clock.now() + std::chrono::days(30))
    log.warn("the certificate ends soon", lightship::field("until", to_rfc3339(loaded->expires)));
  return loaded->context;
}

Task<void> Rooms::live(asio::any_io_executor executor, std::function<void(std::string)> listening) {
  for (;;) {
    const auto hall = std::make_shared<Hall>();
    hall->handler = [this](const Request& request) { return answer(request); };
    auto secured = tls();
    Result<void> bound;
    if (secured) {
      hall->tls = std::move(*secured);
      server = std::make_unique<HttpServer>(executor, hall);
      bound = server->listen(settings.address, settings.port);
      if (!bound && !settings.port_named) {
        log.warn("port is taken, another one is used", lightship::field("why", bound.error().text),
                 lightship::field("wanted", settings.port));
        bound = server->listen(settings.address, 0);
      }
    } else {
      bound = fail(secured.error());
    }
    if (bound) {
      const auto url = url_of(settings, server->port());
      log.info("listening", lightship::field("url", url));
      listening(url);
      co_await server->serve();
    } else {
      log.error("cannot listen", lightship::field("why", bound.error().text),
                lightship::field("again_in", for_people(kListenAgain)));
    }
    asio::steady_timer pause(executor, kListenAgain);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

struct Portal::State {
  State(Context& of, Program with) : context(of), program(std::move(with)) {}
  Context& context;
  Program program;
  asio::io_context loop{1};
  std::unique_ptr<TaskGroup> tasks;
  std::unique_ptr<Rooms> rooms;
  std::thread thread;
};

Portal::Portal(Context& context, Program program)
    : state_(std::make_shared<State>(context, std::move(program))) {}

Portal::~Portal() { stop(); }

void Portal::start(const Settings& settings, std::function<void(std::string)> listening) {
  stop();
  state_->loop.restart();
  state_->rooms = std::make_unique<Rooms>(state_->context, state_->program, settings);
  state_->tasks = std::make_unique<TaskGroup>(state_->loop.get_executor());
  const auto home = state_->context.executor;
  state_->tasks->spawn(state_->rooms->live(
      state_->loop.get_executor(), [home, listening = std::move(listening)](std::string url) {
        asio::post(home, [listening, url = std::move(url)] { listening(url); });
      }));
  state_->thread = std::thread([state = state_] { state->loop.run(); });
}

void Portal::stop() {
  if (!state_->thread.joinable()) return;
  asio::post(state_->loop, [state = state_] {
    state->tasks->cancel();
    if (state->rooms->server) state->rooms->server->close();
  });
  state_->thread.join();
  state_->tasks.reset();
  state_->rooms.reset();
}

}  // namespace lightship::portal
