// Serves whoever is ready.
#include "sinks/modbus_gateway/clients.h"

#include <array>
#include <cerrno>

#include <sys/epoll.h>
#include <sys/socket.h>

namespace lightship::gateway {
namespace {

constexpr int kEvents = 256;
// Rounds before the rest of the house has its turn: a round of 256 clients takes about a
// millisecond.
constexpr int kRounds = 4;

// Readers are told once (EPOLLET), which saves the kernel a second look at every socket; `read`
// asks to be told again where one recv may not have been all.
std::uint32_t interest(Session::State state) {
  switch (state) {
    case Session::State::reading:
      return EPOLLIN | EPOLLRDHUP | EPOLLET;
    case Session::State::stuck:
      return EPOLLOUT;
    case Session::State::asking:
      return EPOLLRDHUP;  // whoever goes away need not be answered
  }
  return 0;
}

}  // namespace

void Session::answered(const Result<ByteVector>& said) {
  clients.now_ = clients.context_.clock.mono();
  clients.answerer_.relay(ask, said, clients.answers_);
  clients.resume(*this);
}

Clients::Clients(Context& context, Log& log, Door door, Answerer& answerer, Tally& tally,
                 TaskGroup& tasks, int listener)
    : context_(context),
      log_(log),
      door_(std::move(door)),
      answerer_(answerer),
      tally_(tally),
      forwarder_(context, tally, tasks),
      listener_(listener),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      input_(modbus::mbap::kMaxAdu + kRead) {
  answers_.reserve(Answerer::kMostBytes);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  ::epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, listener_.fd(), &event);
}

Clients::~Clients() = default;

void Clients::listen(bool on) {
  if (on == listening_) return;
  listening_ = on;
  epoll_event event{.events = on ? EPOLLIN : 0U, .data = {.ptr = nullptr}};
  ::epoll_ctl(epoll_.fd(), EPOLL_CTL_MOD, listener_.fd(), &event);
}

Result<void> Clients::serve_ready() {
  std::array<epoll_event, kEvents> events;
  for (int round = 0; round < kRounds; ++round) {
    const int ready = ::epoll_wait(epoll_.fd(), events.data(), kEvents, 0);
    if (ready <= 0) break;
    now_ = context_.clock.mono();
    for (const auto& event : std::span(events).first(static_cast<std::size_t>(ready))) {
      if (event.data.ptr != nullptr)
        serve(*static_cast<Session*>(event.data.ptr), event.events);
      else if (auto welcomed = welcome(); !welcomed)
        return welcomed;
    }
  }
  return {};
}

void Clients::serve(Session& session, std::uint32_t events) {
  switch (session.state) {
    case Session::State::reading:
      return read(session, events);
    case Session::State::stuck:
      return push_unsent(session);
    case Session::State::asking:
      if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) drop(session);
  }
}

void Clients::read(Session& session, std::uint32_t events) {
  std::ranges::copy(session.kept, input_.begin());
  const std::size_t kept = session.kept.size();  // a torn request, shorter than an ADU
  ssize_t count = 0;
  do {
    count = ::recv(session.fd, input_.data() + kept, kRead, 0);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return drop(session);
  if (count == kRead || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) watch(session);
  tally_.bytes_in += static_cast<std::uint64_t>(count);
  proceed(session, Bytes(input_).first(kept + static_cast<std::size_t>(count)));
}

void Clients::proceed(Session& session, Bytes stream) {
  for (;;) {
    const auto step = answerer_.answer(stream, now_, answers_);
    stream = stream.subspan(step.used);
    const auto sent = flush(session);
    if (sent == Sent::failed) return drop(session);
    if (step.why == Step::Why::lost) {
      ++tally_.lost_framing;
      log_.debug("closed a client that does not speak Modbus TCP",
                 field("peer", session.peer.to_string()));
      return drop(session);
    }
    if (sent == Sent::some)
      return wait_for(session, Session::State::stuck, ByteVector(stream.begin(), stream.end()));
    if (step.why == Step::Why::need_more) {
      return wait_for(session, Session::State::reading, ByteVector(stream.begin(), stream.end()));
    }
    if (step.why == Step::Why::ask) {
      stream = stream.subspan(step.ask.size);
      session.ask = step.ask;
      if (forwarder_.ask(session, step.ask)) {
        return wait_for(session, Session::State::asking, ByteVector(stream.begin(), stream.end()));
      }
      answerer_.relay(step.ask, fail(Errc::unavailable, "too much is waiting for this device"),
                      answers_);
    }
  }
}

// With requests of its own memory, which may change under way.
void Clients::resume(Session& session) {
  const ByteVector stream = std::exchange(session.kept, {});
  proceed(session, stream);
}

Clients::Sent Clients::flush(Session& session) {
  if (answers_.empty()) return Sent::all;
  const auto count = ::send(session.fd, answers_.data(), answers_.size(), MSG_NOSIGNAL);
  const bool full = count < 0 && (errno == EAGAIN || errno == EINTR);
  if (count < 0 && !full) {
    answers_.clear();
    return Sent::failed;
  }
  const auto sent = full ? 0 : static_cast<std::size_t>(count);
  tally_.bytes_out += sent;
  if (sent < answers_.size()) {
    session.unsent.assign(answers_.begin() + static_cast<std::ptrdiff_t>(sent), answers_.end());
    session.took = now_;
  }
  const bool all = sent == answers_.size();
  answers_.clear();
  return all ? Sent::all : Sent::some;
}

void Clients::push_unsent(Session& session) {
  const auto count = ::send(session.fd, session.unsent.data(), session.unsent.size(), MSG_NOSIGNAL);
  if (count < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    return drop(session);
  }
  tally_.bytes_out += static_cast<std::uint64_t>(count);
  session.took = now_;
  session.unsent.erase(session.unsent.begin(), session.unsent.begin() + count);
  if (!session.unsent.empty()) return;
  session.unsent = {};
  resume(session);
}

void Clients::wait_for(Session& session, Session::State state, ByteVector kept) {
  session.kept = std::move(kept);
  if (session.state == state) return;
  session.state = state;
  watch(session);
}

bool Clients::watch(Session& session, bool is_new) {
  epoll_event event{.events = interest(session.state), .data = {.ptr = &session}};
  const int done =
      ::epoll_ctl(epoll_.fd(), is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, session.fd, &event);
  return done == 0;
}

void Clients::drop(Session& session) {
  if (session.state == Session::State::asking) forwarder_.forget(session);
  answers_.clear();
  sessions_.erase(session.self);  // closing the socket takes it out of the epoll
}

void Clients::tick() {
  listen(true);
  const auto now = context_.clock.mono();
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    Session& session = *at++;
    if (session.state != Session::State::stuck || now - session.took < kPatience) continue;
    ++tally_.slow;
    log_.info("closed a client that takes no answers", field("peer", session.peer.to_string()),
              field("waiting_bytes", session.unsent.size()));
    drop(session);
  }
}

}  // namespace lightship::gateway
