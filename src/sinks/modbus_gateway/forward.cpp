// Queues reads, asks the owner of the device's line, tells all who wait.
#include "sinks/modbus_gateway/forward.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace lightship::gateway {

bool Forwarder::ask(Asker& asker, const Ask& what) {
  auto& queue = queues_[what.device];
  for (auto& flight : queue.flights) {
    if (!what.write.empty() || !flight.write.empty()) continue;
    if (flight.space == what.space && flight.first == what.first && flight.count == what.count) {
      ++tally_.joined;
      flight.askers.push_back(&asker);
      return true;
    }
  }
  if (queue.flights.size() >= kQueue) return false;
  queue.flights.push_back({what.space,
                           what.first,
                           what.count,
                           what.write,
                           what.write.empty() ? std::string() : asker.name(),
                           context_.clock.mono() + kLimit,
                           {&asker}});
  if (!queue.busy) {
    queue.busy = true;
    tasks_.spawn(serve(what.device));
  }
  return true;
}

void Forwarder::forget(const Asker& asker) {
  for (auto& [device, queue] : queues_) {
    for (auto flight = queue.flights.begin(); flight != queue.flights.end();) {
      std::erase(flight->askers, &asker);
      const bool asked = queue.busy && flight == queue.flights.begin();
      flight = flight->askers.empty() && !asked ? queue.flights.erase(flight) : std::next(flight);
    }
  }
}

std::size_t Forwarder::waiting() const {
  std::size_t count = 0;
  for (const auto& [device, queue] : queues_) count += queue.flights.size();
  return count;
}

Task<void> Forwarder::serve(DeviceId device) {
  // So that nobody is answered from inside `ask`.
  co_await asio::post(context_.executor, asio::use_awaitable);

  auto& queue = queues_[device];
  while (!queue.flights.empty()) {
    Result<ByteVector> said = fail(Errc::cancelled, "nobody waits");
    if (!queue.flights.front().askers.empty())
      said = co_await perform(device, queue.flights.front());

    // Whoever is told may ask again at once, and starts a new flight.
    const auto askers = std::move(queue.flights.front().askers);
    queue.flights.pop_front();
    for (Asker* const asker : askers) asker->answered(said);
  }
  queue.busy = false;
}

Task<Result<ByteVector>> Forwarder::perform(DeviceId device, Flight flight) {
  const auto left = std::chrono::duration_cast<Duration>(flight.until - context_.clock.mono());
  if (left <= Duration{}) co_return fail(Errc::timeout, "waited too long for its turn");
  try {
    if (!flight.write.empty()) {
      RegisterWriter* const writer = context_.owners.writer(device);
      if (writer == nullptr) co_return fail(Errc::unavailable, "nobody writes to this device");
      ++tally_.writes;
      auto writing =
          writer->write_registers(device, std::move(flight.write), std::move(flight.by), left);
      co_return co_await std::move(writing);
    }
    RegisterReader* const reader = context_.owners.reader(device);
    if (reader == nullptr) co_return fail(Errc::unavailable, "nobody reads this device");
    ++tally_.forwarded;
    co_return co_await reader->read_registers(device, flight.space, flight.first, flight.count,
                                              left);
  } catch (const boost::system::system_error& stopped) {
    // The driver stops, or we do; then the next wait says so again.
    co_return fail(Errc::unavailable, "the driver has stopped: {}", stopped.code().message());
  }
}

}  // namespace lightship::gateway
