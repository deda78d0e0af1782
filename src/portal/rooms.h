// The portal while it runs: everything that lives on its loop, made anew by each start.
#pragma once

#include "base/worker.h"
#include "portal/auth/accounts.h"
#include "portal/diagnosis.h"
#include "portal/field.h"
#include "portal/house.h"
#include "portal/http/rate_limit.h"
#include "portal/http/server.h"
#include "portal/live/hub.h"
#include "portal/portal.h"
#include "portal/router.h"
#include "portal/site_files.h"
#include "portal/views.h"

namespace lightship::portal {

class Rooms {
 public:
  // `listening` is called on the field loop.
  Rooms(asio::any_io_executor loop, Context& context, const Program& program,
        const Settings& settings, std::function<void(std::string url)> listening);

  Task<void> run();  // until cancelled
  void close();      // the listener, so that `run` can end

 private:
  void furnish(Context& context);  // fills the table of routes
  AccountSettings account_settings(Context& context);
  Task<Response> answer(const Request& request);
  // How long this one has to wait, where it asks too often.
  std::optional<Duration> too_soon(const Request& request, const std::optional<Caller>& caller);
  Result<std::shared_ptr<asio::ssl::context>> tls();
  Result<std::unique_ptr<HttpServer>> listen();
  Task<void> serve();
  Task<void> keep_up(std::string what, std::function<Task<void>()> run);

  asio::any_io_executor loop_, home_;  // the portal's and the field's
  const Program& program_;
  const Settings settings_;
  const std::function<void(std::string)> listening_;
  Clock& clock_;
  Log log_;
  const std::filesystem::path data_dir_;

  Worker disk_;
  Field field_;
  Views views_;
  Accounts accounts_;
  LiveHub live_;
  House house_;
  Diagnosis diagnosis_;
  SiteFiles pages_;
  RateLimit guests_, callers_, probes_;
  Router router_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace lightship::portal
