// Builds the rooms, furnishes them with routes, and listens.
#include "portal/rooms.h"

#include "base/text.h"
#include "portal/api/alerts.h"
#include "portal/api/audit.h"
#include "portal/api/devices.h"
#include "portal/api/explain.h"
#include "portal/api/frames.h"
#include "portal/api/groups.h"
#include "portal/api/health.h"
#include "portal/api/live.h"
#include "portal/api/openapi.h"
#include "portal/api/service.h"
#include "portal/api/session.h"
#include "portal/api/status.h"
#include "portal/api/tokens.h"
#include "portal/api/users.h"
#include "portal/auth/lockout.h"
#include "portal/field_topics.h"

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

bool is_probe(std::string_view path) {
  return path == "/healthz" || path == "/readyz" || path == "/metrics";
}

// "http://127.0.0.1:8080": where a browser on this machine finds it.
std::string url_of(const Settings& settings, std::uint16_t port) {
  const bool any = settings.address == "0.0.0.0" || settings.address == "::";
  const auto host = any ? std::string("127.0.0.1") : settings.address;
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", settings.tls == Settings::Tls::none ? "http" : "https",
                     v6 ? "[" : "", host, v6 ? "]" : "", port);
}

Response too_often(Duration wait) {
  auto refused = problem(429, "Too Many Requests", fmt::format("Again in {}.", for_people(wait)),
                         "too-many-requests");
  refused.headers.emplace_back(
      "Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
  return refused;
}

}  // namespace

Rooms::Rooms(asio::any_io_executor loop, Context& context, const Program& program,
             const Settings& settings, std::function<void(std::string)> listening)
    : loop_(std::move(loop)),
      home_(context.executor),
      program_(program),
      settings_(settings),
      listening_(std::move(listening)),
      clock_(context.clock),
      log_(context.logbook, "portal"),
      data_dir_(context.data_dir),
      field_(context),
      views_(field_, context.clock),
      accounts_(context.clock, context.logbook, account_settings(context)),
      live_(loop_, context.clock),
      house_{loop_,     context.clock, context.logbook,    field_,          disk_,
             accounts_, live_,         context.config_dir, context.data_dir},
      diagnosis_(context, field_, program.ping, program.uses, program.metrics, program.config_keys),
      pages_(settings.pages),
      guests_({settings.guest_rate, settings.guest_rate * kBurst}),
      callers_({settings.session_rate, settings.session_rate * kBurst}),
      probes_({settings.guest_rate, settings.guest_rate * kBurst}),
      router_(accounts_, [this](const Request& request, const std::optional<Caller>& caller) {
        return pages_.answer(request, caller);
      }) {
  live_.when_defect([this](const std::string& topic, const std::string& what) {
    log_.error("a defect: a topic of the live feed cannot be shown", field("topic", topic),
               field("what", what));
  });
  live_.watch_sessions([this](const Caller& caller) { return accounts_.is_open(caller); });
  accounts_.when_ended([this](const std::vector<std::string>&) { live_.recheck(); });
  furnish(context);
}

void Rooms::furnish(Context&) {
  const auto open = settings_.metrics_public         ? MetricsOpen::everybody
                    : is_loopback(settings_.address) ? MetricsOpen::here
                                                     : MetricsOpen::nobody;
  add_health(router_, clock_, field_, program_, open);
  add_session(router_, house_);
  add_sessions(router_, house_);
  add_users(router_, house_);
  add_tokens(router_, house_);
  add_audit(router_, house_);
  add_service(router_, field_, program_);
  add_alerts(router_, house_);
  add_devices(router_, views_, field_);
  add_status(router_, views_, field_, program_.status);
  add_explain(router_, views_);
  add_field_topics(live_, views_);
  add_frames(router_, field_, clock_, disk_);
  add_frames_topic(live_, field_);
  add_live(router_, live_);
  diagnosis_.add_routes(router_);
  diagnosis_.add_topics(live_);
  add_openapi(router_);
  add_groups(router_);
}

AccountSettings Rooms::account_settings(Context& context) {
  return {.data_dir = context.data_dir,
          .sessions = {settings_.sessions.idle, settings_.sessions.longest},
          .first_password = [this](const std::string& user, const std::string& password) {
            asio::post(home_,
                       [tell = program_.first_password, user, password] { tell(user, password); });
          }};
}

Task<void> Rooms::run() {
  co_await accounts_.open();
  TaskGroup all(loop_);
  all.spawn(keep_up("accounts", [this] { return accounts_.run(); }));
  all.spawn(keep_up("live feed", [this] { return live_.run(); }));
  all.spawn(keep_up("diagnosis", [this] { return diagnosis_.run(); }));
  all.spawn(keep_up("listener", [this] { return serve(); }));
  co_await all.run();
}

// A defect in one of them is told, and costs the others nothing.
Task<void> Rooms::keep_up(std::string what, std::function<Task<void>()> run) {
  for (;;) {
    std::exception_ptr why;
    try {
      co_await run();
    } catch (...) {
      why = std::current_exception();
    }
    if (!why || is_cancellation(why)) {
      if (why) std::rethrow_exception(why);
      co_return;
    }
    try {
      std::rethrow_exception(why);
    } catch (const std::exception& defect) {
      log_.error("a defect ended a part of the portal, it begins again", field("part", what),
                 field("what", defect.what()));
    }
    asio::steady_timer pause(loop_, 1s);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

void Rooms::close() {
  if (server_) server_->close();
}

std::optional<Duration> Rooms::too_soon(const Request& request,
                                        const std::optional<Caller>& caller) {
  const auto now = clock_.mono();
  // Who watches over the gateway is not shut out by what else comes from that address.
  if (is_probe(request.path)) return probes_.take(network_of(request.peer), now);
  if (caller) return callers_.take(caller->session + caller->token, now);
  return guests_.take(network_of(request.peer), now);
}

Task<Response> Rooms::answer(const Request& request) {
  auto caller = accounts_.who(request);
  if (const auto wait = too_soon(request, caller)) co_return too_often(*wait);
  std::exception_ptr why;
  try {
    co_return co_await router_.answer(request, std::move(caller));
  } catch (...) {
    why = std::current_exception();
  }
  if (is_cancellation(why)) std::rethrow_exception(why);
  try {
    std::rethrow_exception(why);
  } catch (const std::exception& defect) {
    log_.error("a defect answered a request", field("path", request.path),
               field("what", defect.what()));
  }
  co_return problem(500, "Internal Server Error", "This is a defect; the log says more.");
}

Result<std::shared_ptr<asio::ssl::context>> Rooms::tls() {
  if (settings_.tls == Settings::Tls::none) return nullptr;
  auto files = settings_.tls_files;
  if (settings_.tls == Settings::Tls::own) {
    if (data_dir_.empty())
      return fail(Errc::unavailable, "tls: auto needs a data directory to keep the certificate in");
    auto own = own_certificate(data_dir_, own_names(), clock_.now());
    if (!own) return fail(own.error());
    files = *own;
  }
  auto loaded = load_tls(files);
  if (!loaded) return fail(loaded.error());
  log_.info("certificate", field("file", files.certificate.string()),
            field("sha256", loaded->fingerprint), field("until", to_rfc3339(loaded->expires)));
  if (loaded->expires < clock_.now() + std::chrono::days(30))
    log_.warn("the certificate ends soon", field("until", to_rfc3339(loaded->expires)));
  return loaded->context;
}

Result<std::unique_ptr<HttpServer>> Rooms::listen() {
  auto secured = tls();
  if (!secured) return fail(secured.error());
  const auto hall = std::make_shared<Hall>();
  hall->handler = [this](const Request& request) { return answer(request); };
  hall->known = [this](const Request& request) { return accounts_.who(request).has_value(); };
  hall->tls = std::move(*secured);
  auto server = std::make_unique<HttpServer>(loop_, hall);
  auto bound = server->listen(settings_.address, settings_.port);
  if (!bound && !settings_.port_named) {
    log_.warn("port is taken, another one is used", field("why", bound.error().text),
              field("wanted", settings_.port));
    bound = server->listen(settings_.address, 0);
  }
  if (!bound) return fail(bound.error());
  return server;
}

Task<void> Rooms::serve() {
  for (;;) {
    auto server = listen();
    if (server) {
      server_ = std::move(*server);
      const auto url = url_of(settings_, server_->port());
      log_.info("listening", field("url", url));
      asio::post(home_, [tell = listening_, url] { tell(url); });
      co_await server_->serve();
    } else {
      log_.error("cannot listen", field("why", server.error().text),
                 field("again_in", for_people(kListenAgain)));
    }
    asio::steady_timer pause(loop_, kListenAgain);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

}  // namespace lightship::portal
