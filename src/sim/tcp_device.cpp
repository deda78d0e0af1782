// Listening, answering, going away.
#include "sim/tcp_device.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "codec/modbus/mbap.h"
#include "codec/modbus/reply.h"
#include "link/tcp.h"

namespace lightship::sim {
namespace {

using asio::ip::tcp;

// Two of these may be bound to one port as long as at most one of them listens.
boost::system::error_code bind(tcp::acceptor& acceptor, std::uint16_t port) {
  boost::system::error_code wrong;
  acceptor.open(tcp::v4(), wrong);
  if (!wrong) acceptor.set_option(tcp::acceptor::reuse_address(true), wrong);
  if (!wrong) acceptor.bind({asio::ip::address_v4::loopback(), port}, wrong);
  return wrong;
}

}  // namespace

TcpDevice::TcpDevice(asio::any_io_executor executor, Clock& clock, Units units,
                     Duration answer_time)
    : executor_(executor),
      clock_(clock),
      units_(std::move(units)),
      answer_time_(answer_time),
      reserved_(executor),
      listener_(executor) {}

TcpDevice::~TcpDevice() = default;

Result<void> TcpDevice::take_port(std::uint16_t port) {
  if (const auto wrong = bind(reserved_, port))
    return fail(Errc::unavailable, "port {}: {}", port, wrong.message());
  port_ = reserved_.local_endpoint().port();
  return {};
}

Result<void> TcpDevice::switch_on() {
  if (on()) return {};
  auto wrong = bind(listener_, port_);
  if (!wrong) listener_.listen(tcp::acceptor::max_listen_connections, wrong);
  if (wrong) {
    boost::system::error_code ignored;
    listener_.close(ignored);
    return fail(Errc::unavailable, "port {}: {}", port_, wrong.message());
  }
  sessions_ = std::make_unique<TaskGroup>(executor_);
  sessions_->spawn(accept());
  return {};
}

Task<void> TcpDevice::switch_off() {
  if (!on()) co_return;
  boost::system::error_code ignored;
  listener_.close(ignored);
  sessions_->cancel();
  co_await sessions_->join();
  sessions_.reset();
}

Task<void> TcpDevice::accept() {
  while (listener_.is_open()) {
    boost::system::error_code wrong;
    auto socket = co_await listener_.async_accept(asio::redirect_error(asio::use_awaitable, wrong));
    if (wrong) continue;
    socket.non_blocking(true, wrong);
    const int fd = socket.release(wrong);
    if (wrong) continue;
    sessions_->spawn(serve(std::make_unique<link::TcpLine>(executor_, clock_, fd, "client")));
  }
}

Task<void> TcpDevice::serve(std::unique_ptr<link::ByteLine> line) {
  ByteVector heard, out;
  std::array<std::uint8_t, 4096> bytes;
  for (;;) {
    const auto count = co_await line->read_some(bytes, MonoTime::max());
    if (!count) co_return;
    heard.insert(heard.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*count));
    out.clear();
    const bool framed = answer(heard, out);
    if (!out.empty()) {
      if (answer_time_.count() > 0) co_await clock_.sleep_for(answer_time_);
      if (!co_await line->write(out)) co_return;
    }
    if (!framed) co_return;
  }
}

bool TcpDevice::answer(ByteVector& heard, ByteVector& out) {
  std::size_t used = 0;
  for (;;) {
    const auto adu = modbus::mbap::next_adu(Bytes(heard).subspan(used));
    if (!adu && adu.error().code != Errc::incomplete) return false;
    if (!adu) break;
    used += adu->size;
    ++requests_;
    auto* map = find(adu->unit);
    const auto pdu = map != nullptr
                         ? modbus::answer(*map, adu->unit == 0 ? 255 : adu->unit, adu->pdu)
                         : modbus::encode_exception(adu->pdu[0], modbus::Exception::target_silent);
    if (!pdu.empty()) modbus::mbap::append_frame(out, adu->transaction, adu->unit, pdu);
  }
  heard.erase(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(used));
  return true;
}

modbus::DataMap* TcpDevice::find(std::uint8_t unit) const {
  if (const auto found = units_.find(unit); found != units_.end()) return found->second.get();
  const bool this_device = units_.size() == 1 && (unit == 0 || unit == 255);
  return this_device ? units_.begin()->second.get() : nullptr;
}

}  // namespace lightship::sim
