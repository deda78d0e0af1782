// Asks a unit what it is.
#include "cli/scan_unit.h"

#include "base/text.h"
#include "sources/modbus/identify.h"

namespace lightship::cli {
namespace {

struct Asking {
  poller::Talker& line;
  std::uint8_t unit;
  Duration patience;
};

bool line_is_gone(const Error& error) {
  return error.code == Errc::closed || error.code == Errc::unavailable;
}

Task<Result<modbus::Reply>> ask(Asking asking, modbus::Request request) {
  poller::Ask ask;
  ask.unit = asking.unit;
  ask.request = request;
  ask.patience = asking.patience;
  ask.limit = std::max<Duration>(asking.patience, std::chrono::seconds(2));
  poller::Tally tally;
  auto answer = co_await asking.line.ask(std::move(ask), tally);
  if (!answer) co_return fail(answer.error());
  co_return modbus::decode_reply(request, *answer);
}

// The basic objects, in as many pieces as the device gives them.
Task<Result<modbus::Identification>> ask_identity(Asking asking) {
  constexpr int kMostPieces = 8;
  modbus::Identification all;
  std::uint8_t from = 0;
  for (int piece = 0; piece < kMostPieces; ++piece) {
    auto reply = co_await ask(asking, modbus::Identify{1, from});
    if (!reply) co_return fail(reply.error());
    auto* part = std::get_if<modbus::Identification>(&reply->body);
    if (part == nullptr) co_return fail(Errc::malformed, "no identification");
    for (auto& object : part->objects) all.objects.push_back(std::move(object));
    if (!part->next || *part->next <= from) break;
    from = *part->next;
  }
  co_return all;
}

// As the identification wants them; what came damaged is asked for once more.
Task<Result<std::vector<std::uint16_t>>> ask_registers(Asking asking, Space space,
                                                       std::uint16_t first, std::uint16_t count) {
  const modbus::Read read{static_cast<modbus::Function>(space), first, count};
  auto reply = co_await ask(asking, read);
  if (!reply && (reply.error().code == Errc::crc || reply.error().code == Errc::malformed))
    reply = co_await ask(asking, read);
  if (!reply) co_return fail(reply.error());
  co_return reply->registers();
}

// What has been asked already.
Task<Result<modbus::Identification>> known(Result<modbus::Identification> identity) {
  co_return identity;
}

std::string printable(Bytes bytes) {
  std::string text;
  for (const auto byte : bytes) text += byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : ' ';
  return std::string(trim(text));
}

}  // namespace

std::string ScannedUnit::says() const {
  std::vector<std::string> texts;
  for (const auto& object : objects)
    if (!trim(object.text).empty()) texts.emplace_back(trim(object.text));
  if (!texts.empty()) return join(texts, " ");
  return describes.empty() ? server_id : describes;
}

Task<Result<ScannedUnit>> identify_unit(poller::Talker& line, poller::UnitFound found,
                                        Duration patience, const poller::Meters& meters) {
  ScannedUnit unit;
  const Asking asking{line, found.unit, patience};
  unit.found = std::move(found);
  if (unit.found.only_damaged()) co_return unit;

  auto identity = co_await ask_identity(asking);
  if (identity)
    unit.objects = identity->objects;
  else if (line_is_gone(identity.error()))
    co_return fail(identity.error());
  if (unit.objects.empty()) {
    auto id = co_await ask(asking, modbus::Query{modbus::Function::report_server_id});
    if (!id && line_is_gone(id.error())) co_return fail(id.error());
    if (id)
      if (const auto* body = std::get_if<modbus::ServerId>(&id->body))
        unit.server_id = printable(body->data);
  }

  poller::Asker asker;
  asker.registers = [asking](Space space, std::uint16_t first, std::uint16_t count) {
    return ask_registers(asking, space, first, count);
  };
  asker.identity = [&identity] { return known(identity); };
  auto identified = co_await poller::identify(asker, meters, true);
  if (!identified) {
    if (line_is_gone(identified.error())) co_return fail(identified.error());
    co_return unit;
  }
  unit.describes = std::move(identified->says);
  for (auto& one : identified->candidates)
    unit.candidates.push_back({std::move(one.meter_model), std::move(one.name),
                               std::string(to_string(one.certainty)), std::move(one.evidence)});
  co_return unit;
}

}  // namespace lightship::cli
