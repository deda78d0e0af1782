// The courier: takes what waits in one queue to one endpoint, a parcel at a time and in order.
//
// What the answer means is said in verdict.h. A parcel stays in hand until it is delivered or set
// aside, so a retry is the same request; one that is refused for its content is halved until the
// guilty message is alone. Field loop only.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "core/backoff.h"
#include "core/context.h"
#include "core/view.h"
#include "link/http_client.h"
#include "sinks/http/config.h"
#include "sinks/http/parcel.h"
#include "sinks/http/verdict.h"
#include "store/outbox_queue.h"

namespace lightship::http {

class Courier;

// Alerts go before the measurements of the same category, though each has an endpoint of its own.
struct Precedence {
  Courier* alerts = nullptr;
};

class Courier {
 public:
  using Outcomes = std::vector<Result<link::HttpAnswer>>;
  using Post =
      std::function<Task<Outcomes>(std::vector<link::HttpRequest>)>;  // HttpClient::post_each
  struct Settings {
    std::string name;  // of the part and its queue: "http/electrical"
    std::string type;  // {type}
    bool alerts = false;
    EndpointConfig endpoint;
    std::size_t batch = 1;
    Duration batch_wait{};
  };

  // `precedence`: of the category, shared by its two couriers.
  Courier(Context& context, Settings settings, std::shared_ptr<OutboxQueue> queue, Post post,
          std::shared_ptr<Precedence> precedence);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  Task<void> run();
  Task<void> drain(Duration limit);
  void nudge();
  void removed() { removed_ = true; }
  void describe_status(JsonWriter& json) const;
  void look(ServiceView& me) const;  // courier_view.cpp

  // There is something to take, and nothing speaks against taking it now.
  bool about_to_deliver() const { return queue_->waiting() > 0 && !pausing_; }
  MonoTime trying_since() const { return trying_since_; }
  bool refused() const { return refused_; }

 private:
  Task<void> collect();  // something in hand, or it is time to look again
  Task<void> let_alerts_go_first();
  Task<void> deliver();
  void settle(const Result<link::HttpAnswer>& outcome);
  void delivered();
  void set_aside(const std::string& reason);
  void failed(const Result<link::HttpAnswer>& outcome, bool refused);
  Task<void> pause(Duration how_long);
  link::HttpRequest request(const Parcel& parcel) const;
  std::string url_of(const OutboxMessage& message) const;
  std::string reason(const Result<link::HttpAnswer>& outcome) const;
  bool fits(const Parcel& parcel, const OutboxMessage& message) const;

  Context& context_;
  Settings settings_;
  std::shared_ptr<OutboxQueue> queue_;
  Post post_;
  std::shared_ptr<Precedence> precedence_;
  std::shared_ptr<const link::HttpSettings> link_settings_;
  std::string host_;                  // to be shown
  std::vector<std::string> secrets_;  // never to be
  Url url_kind_;
  Log log_;
  asio::steady_timer timer_;  // woken when there is something to do
  std::unique_ptr<Heartbeat> heart_;

  std::deque<Parcel> in_hand_;  // to be delivered in this order
  Backoff soon_, later_;        // pauses after a failure; after a refusal
  Duration next_pause_{};       // to be made before the next try
  bool pausing_ = false, nudged_ = false, stopping_ = false, down_ = false, refused_ = false;
  bool removed_ = false;  // and no successor of this name follows
  unsigned aside_in_a_row_ = 0;
  std::string url_aside_;                    // that the last which was set aside was refused for
  MonoTime trying_since_ = MonoTime::min();  // what is in hand, or the first that waits

  int last_status_ = 0;
  Time last_success_{}, next_try_{};
  std::string last_error_;
  Counter &requests_, &acknowledged_, &retried_, &set_aside_, &refusals_, &bytes_, &connections_;
};

}  // namespace lightship::http
