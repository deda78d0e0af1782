// Asks until there is an answer, or not.
#include "sources/modbus/asker.h"

namespace lightship::poller {
namespace {

Task<Result<modbus::Reply>> ask_for(Conversation& conversation, Terms terms,
                                    modbus::Request request) {
  Result<ByteVector> answer = fail(Errc::timeout, "not asked");
  for (unsigned attempt = 0; attempt < std::max(1u, terms.tries); ++attempt) {
    Ask ask;
    ask.unit = terms.unit;
    ask.request = request;
    ask.patience = ask.limit = terms.patience;
    ask.pause = terms.pause;
    ask.answers_as = terms.answers_as;
    Tally tally;
    answer = co_await conversation.ask(std::move(ask), tally);
    if (answer || answer.error().code == Errc::refused || answer.error().code == Errc::closed)
      break;
  }
  if (!answer) co_return fail(answer.error());
  co_return modbus::decode_reply(request, *answer);
}

Task<Result<std::vector<std::uint16_t>>> registers(Conversation& conversation, Terms terms,
                                                   Space space, std::uint16_t first,
                                                   std::uint16_t count) {
  const auto reply = co_await ask_for(
      conversation, terms, modbus::Read{static_cast<modbus::Function>(space), first, count});
  if (!reply) co_return fail(reply.error());
  co_return reply->registers();
}

// Objects 0 to 2; a device that gives them one by one says where to go on.
Task<Result<modbus::Identification>> identity(Conversation& conversation, Terms terms) {
  constexpr int kMostParts = 3;
  modbus::Identification all;
  std::uint8_t object = 0;
  for (int part = 0; part < kMostParts; ++part) {
    const auto reply = co_await ask_for(conversation, terms, modbus::Identify{1, object});
    const auto* said = reply ? std::get_if<modbus::Identification>(&reply->body) : nullptr;
    if (said == nullptr) {
      if (!all.objects.empty()) break;
      if (!reply) co_return fail(reply.error());
      co_return fail(Errc::malformed, "no device identification");
    }
    all.conformity = said->conformity;
    all.objects.insert(all.objects.end(), said->objects.begin(), said->objects.end());
    if (!said->next || *said->next <= object) break;
    object = *said->next;
  }
  co_return all;
}

}  // namespace

Asker asker_over(Conversation& conversation, Terms terms) {
  return {[&conversation, terms](Space space, std::uint16_t first, std::uint16_t count) {
            return registers(conversation, terms, space, first, count);
          },
          [&conversation, terms] { return identity(conversation, terms); }};
}

}  // namespace lightship::poller
