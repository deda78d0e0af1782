// The courier as the portal shows it.
#include "base/text.h"
#include "sinks/http/courier.h"

namespace lightship::http {

void Courier::look(ServiceView& me) const {
  using State = ServiceView::State;
  me.title = fmt::format("HTTP {}, {}", settings_.alerts ? "alerts" : "publisher", settings_.type);
  me.type = "http";
  me.detail = host_;
  if (const auto waiting = queue_->waiting(); waiting > 0)
    me.detail += fmt::format(", {} waiting", waiting);
  if (refused_) {
    me.state = State::alarm;
    me.state_text = "Refused";
    me.error = last_error_;
    me.advice = {
        "The endpoint answers and refuses: compare url, headers and token with what it "
        "expects",
        "Is the client certificate still valid?",
        "Nothing is lost meanwhile: messages wait on the disk"};
  } else if (down_) {
    me.state = State::warning;
    me.state_text = "Retrying";
    me.error = last_error_;
    me.advice = {"Does the endpoint's host answer? Try Diagnostics, Network, Port test",
                 "Is a proxy needed on the way? Then say proxy: in the endpoint",
                 "Nothing is lost meanwhile: messages wait on the disk"};
  } else if (last_success_ == Time{}) {
    me.state = State::good;
    me.state_text = "Nothing sent yet";
  } else {
    me.state = State::good;
    me.state_text = "Delivering";
    me.detail += fmt::format(", last {} ago", for_people(context_.clock.now() - last_success_));
  }
}

}  // namespace lightship::http
