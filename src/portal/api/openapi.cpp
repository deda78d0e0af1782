// Packed once, when the table is made; almost everybody takes gzip.
#include "portal/api/openapi.h"

#include "link/gzip.h"
#include "portal/router.h"
#include "portal/site_files.h"

namespace lightship::portal {

namespace {

Task<Response> describe(std::shared_ptr<const std::string> packed, const Call& call) {
  Response response;
  response.content_type = "application/json";
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (takes_gzip(call.request.header("accept-encoding"))) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.shared = std::move(packed);
  } else {
    response.fixed = kOpenapi;
  }
  co_return response;
}

}  // namespace

void add_openapi(Router& router) {
  const auto packed = std::make_shared<const std::string>(link::gzip(kOpenapi));
  router.add({"GET", "/api/openapi.json", Role::viewer,
              [packed](const Call& call) { return describe(packed, call); }});
}

}  // namespace lightship::portal
