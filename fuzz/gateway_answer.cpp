// Any bytes as what clients send to the gateway, in pieces of any size: every answer is a Modbus
// TCP frame that repeats transaction, unit and function of its request, answers are bounded, and
// pieces change nothing.
#include "sinks/modbus_gateway/answer.h"

#include <boost/asio/io_context.hpp>

#include "base/manual_clock.h"
#include "codec/modbus/request.h"
#include "modbus_input.h"

namespace {

using namespace lightship;
using namespace lightship::gateway;
using fuzz::require;

// Unit 1 has registers and coils, some not yet read, and may be written; unit 200 a mapped point;
// unit 2 is never heard of.
struct Table {
  Table() {
    const auto meter =
        catalog.device({.connection = "line", .client = "meter", .allow_write = true});
    auto& image = cache.image(meter);
    image.declare({{Space::holding, 0, 125},
                   {Space::holding, 200, 10},
                   {Space::coils, 0, 2000},
                   {Space::input, 65535, 1}});
    image.store(Space::holding, 0, 125, ByteVector(250, 0x5A), clock.mono());
    image.store(Space::coils, 0, 2000, ByteVector(250, 0xA5), clock.mono());
    image.store(Space::input, 65535, 1, ByteVector(2, 1), clock.mono());
    const auto point = catalog.point(meter, "voltage");
    cache.apply({.device = meter,
                 .arrived = clock.mono(),
                 .online = true,
                 .readings = {{point, Real{230.25}}}});
  }
  static GatewayConfig config() {
    GatewayConfig config;
    MapEntry entry{.unit = 200, .address = 10, .point = "line/meter/voltage"};
    entry.spec.type = modbus::DataType::float32;
    entry.spec.count = 2;
    config.map = {entry};
    return config;
  }

  asio::io_context loop;
  ManualClock clock{loop};
  Catalog catalog;
  Cache cache{catalog};
  Metrics metrics;
  Tally tally{metrics};
  Units units{catalog, cache, {{"line/meter", 1, {}}, {"line/ghost", 2, {}}}, config()};
};

// Answers the stream as a session does, asking the device in vain; returns all answers.
ByteVector converse(Answerer& answerer, MonoTime now, Bytes stream, std::size_t piece, bool& lost) {
  ByteVector all, kept;
  while (!stream.empty() && !lost) {
    const auto arrived = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(arrived.size());
    put_bytes(kept, arrived);
    for (bool again = true; again;) {
      ByteVector out;
      const auto step = answerer.answer(kept, now, out);
      std::size_t used = step.used;
      require(used <= kept.size() && out.size() <= Answerer::kMostBytes);
      if (step.why == Step::Why::ask) {
        if (step.ask.write.empty()) {
          require(step.ask.count > 0 && std::uint32_t{step.ask.first} + step.ask.count <= 65536);
        } else {
          const auto request = modbus::decode_request(step.ask.write);
          require(request && modbus::is_write(modbus::function_of(*request)));
        }
        answerer.relay(step.ask, fail(Errc::timeout, ""), out);
        used += step.ask.size;
      }
      put_bytes(all, out);
      kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(used));
      lost = step.why == Step::Why::lost;
      again = step.why == Step::Why::ask || step.why == Step::Why::enough;
      require(again || lost || kept.size() < modbus::mbap::kMaxAdu);
    }
  }
  return all;
}

void check_frames(Bytes requests, Bytes answers) {
  while (!answers.empty()) {
    const auto asked = modbus::mbap::next_adu(requests);
    const auto answered = modbus::mbap::next_adu(answers);
    require(asked && answered);
    require(asked->transaction == answered->transaction && asked->unit == answered->unit);
    require((asked->pdu[0] | 0x80) == (answered->pdu[0] | 0x80));
    const bool refused = answered->pdu.size() == 2;
    require(refused || answered->pdu.size() == 2U + answered->pdu[1]);
    requests = requests.subspan(asked->size);
    answers = answers.subspan(answered->size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Table table;
  if (size == 0) return 0;
  const bool pass_through = (data[0] & 0x80) != 0;
  const std::size_t piece = 1 + (data[0] & 0x7F);
  const Bytes stream(data + 1, size - 1);

  Answerer answerer(table.units, table.tally, pass_through);
  bool lost = false, lost_at_once = false;
  const auto answers = converse(answerer, table.clock.mono(), stream, piece, lost);
  check_frames(stream, answers);
  const auto at_once = converse(answerer, table.clock.mono(), stream,
                                std::max<std::size_t>(stream.size(), 1), lost_at_once);
  require(lost == lost_at_once && std::ranges::equal(answers, at_once));
  return 0;
}
