// The table of routes: method and path to a handler, and who may.
//
// Everything below /api that is not open to everybody answers 401 to who has no session, whether
// the path exists or not; then 403 while the password must be changed, 404, 405, 403 for the role
// and for a changing call without its CSRF token. Testable without sockets: give it a Request.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.h"
#include "portal/auth/gate.h"
#include "portal/http/message.h"

namespace lightship::portal {

// What a handler is given. It lives until the handler's coroutine has ended, not longer: what a
// Response holds (`pieces`, `web_socket`) must not refer to it.
struct Call {
  const Request& request;
  Caller caller;  // without a user where nobody is known, on a route that is open to everybody
  std::map<std::string, std::string, std::less<>> parts;  // {id} of the pattern, decoded

  const std::string& part(std::string_view name) const { return parts.find(name)->second; }
  std::optional<std::string> parameter(std::string_view name) const {
    return request.parameter(name);
  }
  // The body as a JSON object; an empty body is an empty one. Errc::invalid says what is wrong.
  Result<boost::json::object> body() const;
  // For the audit and the log: "admin 192.0.2.7".
  std::string by() const { return caller.user + " " + request.peer.to_string(); }
};

struct Route {
  std::string method;   // GET (HEAD too), POST, DELETE
  std::string pattern;  // "/api/device/{id}/registers"; a {part} is one segment, %2F in it allowed
  std::optional<Role> least;  // nothing: open to everybody
  std::function<Task<Response>(const Call&)> handler;
  bool before_password_change = false;  // also while the first password must be changed
};

class Router {
 public:
  Router(Gate& gate, std::function<Task<Response>(const Request&, const std::optional<Caller>&)>
                         elsewhere)  // what is not below /api: pages and files
      : gate_(gate), elsewhere_(std::move(elsewhere)) {}

  void add(Route route);
  const std::vector<Route>& routes() const { return routes_; }

  Task<Response> answer(const Request& request) const;
  // The same where it is known already who asks.
  Task<Response> answer(const Request& request, std::optional<Caller> caller) const;

 private:
  Gate& gate_;
  std::function<Task<Response>(const Request&, const std::optional<Caller>&)> elsewhere_;
  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> segments_;  // of each route's pattern
};

}  // namespace lightship::portal
