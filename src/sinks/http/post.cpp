// Kept among the heirlooms, so that a reload does not close the connections.
#include "sinks/http/post.h"

namespace lightship::http {
namespace {

template <class T>
std::shared_ptr<T> heirloom(Context& context, const std::string& name) {
  auto& kept = context.heirlooms[name];
  if (!kept) kept = std::make_shared<T>();
  return std::static_pointer_cast<T>(kept);
}

}  // namespace

Courier::Post post_of(Context& context) {
  return [client = heirloom<link::HttpClient>(context, "http")](
             std::vector<link::HttpRequest> requests) {
    return client->post_each(std::move(requests));
  };
}

std::shared_ptr<Precedence> precedence_of(Context& context, const std::string& category) {
  return heirloom<Precedence>(context, "http/" + category + "/precedence");
}

}  // namespace lightship::http
