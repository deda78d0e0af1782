// Every recorded frame that is wrong in some way, in all the pieces it can come in.
#include <gtest/gtest.h>

#include "codec/modbus/mbap.h"
#include "codec/modbus/reply_scanner.h"
#include "codec/modbus/request_scanner.h"
#include "codec/modbus/rtu.h"
#include "codec/modbus/vectors_for_test.h"

namespace lightship::modbus {
namespace {

struct Heard {
  Scan::Kind kind;
  std::string pdu;
  Rejects rejects;
  friend bool operator==(const Heard&, const Heard&) = default;
};

// The scanner's result for a stream cut at `cuts`, each a position.
Heard hear(const Request& request, Bytes sent, Bytes stream, std::vector<std::size_t> cuts) {
  rtu::ReplyScanner scanner(sent[0], request, sent);
  std::size_t from = 0;
  cuts.push_back(stream.size());
  for (const auto cut : cuts) {
    scanner.feed(stream.subspan(from, cut - from));
    from = cut;
  }
  return {scanner.next().kind, to_hex(scanner.next().pdu), scanner.rejects()};
}

Heard hear_bytewise(const Request& request, Bytes sent, Bytes stream) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = 1; at < stream.size(); ++at) cuts.push_back(at);
  return hear(request, sent, stream, cuts);
}

Heard expected_of(std::string_view id) {
  const std::string good = "03 04 10 00 11 01";
  const auto waits = [](Rejects rejects) { return Heard{Scan::Kind::need_more, "", rejects}; };
  const auto wrong = [](std::string pdu) {
    return Heard{Scan::Kind::wrong_length, pdu, {.length = 1}};
  };
  if (id == "mal-rtu-crc" || id == "mal-rtu-bitflip" || id == "mal-rtu-crc-swapped")
    return waits({.crc = 1});
  if (id == "mal-rtu-exception-bad-crc") return waits({.crc = 1});
  if (id == "mal-rtu-unit") return waits({.unit = 1});
  if (id == "mal-rtu-function") return waits({.function = 1});
  if (id == "mal-rtu-short-count") return wrong("03 02 10 00");
  if (id == "mal-rtu-long-count") return wrong("03 06 00 01 00 02 00 03");
  if (id == "mal-rtu-odd-count") return wrong("03 03 10 00 11");
  if (id == "mal-rtu-truncated") return waits({});
  if (id == "mal-rtu-trailing") return {Scan::Kind::reply, good, {.trailing_bytes = 2}};
  if (id == "mal-rtu-leading-noise") return {Scan::Kind::reply, good, {.noise_bytes = 1}};
  if (id == "mal-rtu-echo") return {Scan::Kind::reply, good, {.echo = 1}};
  if (id == "mal-rtu-split") return {Scan::Kind::reply, good, {}};
  if (id == "mal-rtu-exception-zero") return waits({.exception_code = 1});
  ADD_FAILURE() << "no expectation for " << id;
  return waits({});
}

template <class Run>
int for_each_malformed(std::string_view side, std::string_view transport, Run run) {
  int count = 0;
  for (const auto& entry : vectors().at("malformed").as_array()) {
    if (text_of(entry, "side") != side || text_of(entry, "transport") != transport) continue;
    SCOPED_TRACE(text_of(entry, "id"));
    run(text_of(entry, "id"), entry);
    ++count;
  }
  return count;
}

TEST(Malformed, RtuAnswersAreJudgedTheSameInAnyPieces) {
  const int count =
      for_each_malformed("response", "rtu", [](const std::string& id, const auto& entry) {
        const auto sent = bytes_of(entry, "request");
        const auto request = decode_request(rtu::unframe(sent)->pdu);
        const auto stream = joined(pieces_of(entry));
        const Heard expected = expected_of(id);
        EXPECT_EQ(hear(*request, sent, stream, {}), expected);
        EXPECT_EQ(hear_bytewise(*request, sent, stream), expected);
        for (std::size_t first = 0; first <= stream.size(); ++first) {
          for (std::size_t second = first; second <= stream.size(); ++second) {
            EXPECT_EQ(hear(*request, sent, stream, {first, second}), expected)
                << first << ' ' << second;
          }
        }
      });
  EXPECT_EQ(count, 15);
}

TEST(Malformed, TheGoodAnswerIsFoundBehindWhatWasDropped) {
  const auto good = hex("01 03 04 10 00 11 01 33 63");
  for_each_malformed("response", "rtu", [&](const std::string&, const auto& entry) {
    const auto sent = bytes_of(entry, "request");
    const auto request = decode_request(rtu::unframe(sent)->pdu);
    auto stream = joined(pieces_of(entry));
    if (hear(*request, sent, stream, {}).kind != Scan::Kind::need_more) return;
    put_bytes(stream, good);
    const auto heard = hear(*request, sent, stream, {});
    EXPECT_EQ(heard.kind, Scan::Kind::reply);
    EXPECT_EQ(heard, hear_bytewise(*request, sent, stream));
  });
}

// A TCP client in small: what becomes of the one outstanding request.
std::string tcp_client(Bytes sent, Bytes stream) {
  const auto asked = *mbap::next_adu(sent);
  const auto request = *decode_request(asked.pdu);
  std::string said;
  for (;;) {
    const auto adu = mbap::next_adu(stream);
    if (!adu) return said + (adu.error().code == Errc::malformed ? "close" : "wait");
    stream = stream.subspan(adu->size);
    if (adu->transaction != asked.transaction) {
      said += "ignored, ";
      continue;
    }
    if (adu->unit != asked.unit) return said + "unit";
    const auto verdict = judge(request, adu->pdu);
    return said + std::string(to_string(verdict));
  }
}

TEST(Malformed, TcpAnswersAreJudgedTheSameHoweverTheyCome) {
  const std::map<std::string, std::string> expected{
      {"mal-tcp-tid", "ignored, wait"},
      {"mal-tcp-tid-then-good", "ignored, good"},
      {"mal-tcp-protocol", "close"},
      {"mal-tcp-unit", "unit"},
      {"mal-tcp-function", "another function"},
      {"mal-tcp-short", "wait"},
      {"mal-tcp-len-zero", "close"},
      {"mal-tcp-len-huge", "close"},
      {"mal-tcp-count", "wrong length"},
      {"mal-tcp-one-register", "wrong length"},
      {"mal-tcp-split", "good"},
      {"mal-tcp-glued", "good"},
  };
  std::size_t seen = 0;
  for_each_malformed("response", "tcp", [&](const std::string& id, const auto& entry) {
    ++seen;
    const auto sent = bytes_of(entry, "request");
    const auto stream = joined(pieces_of(entry));
    EXPECT_EQ(tcp_client(sent, stream), expected.at(id));
    // With fewer bytes it can only be waiting, or have come to the same end.
    for (std::size_t size = 0; size <= stream.size(); ++size) {
      const auto early = tcp_client(sent, Bytes(stream).first(size));
      EXPECT_TRUE(early == "wait" || early == "ignored, wait" || early == expected.at(id)) << early;
    }
  });
  EXPECT_EQ(seen, expected.size());
}

TEST(Malformed, RtuRequestsAreAnsweredOnlyWhenTheyAreOurs) {
  const int count =
      for_each_malformed("request", "rtu", [](const std::string& id, const auto& entry) {
        MemoryMap map = golden_map();
        rtu::RequestScanner scanner;
        ByteVector answers;
        for (const auto byte : bytes_of(entry, "frame")) {
          scanner.feed(Bytes(&byte, 1));
          while (const auto frame = scanner.next()) {
            if (frame->unit == 1 || frame->unit == kBroadcast)
              put_bytes(answers, answer(map, frame->unit, frame->pdu));
          }
        }
        EXPECT_TRUE(answers.empty()) << to_hex(answers);
        EXPECT_EQ(map.holding[90], id == "mal-req-broadcast" ? 0x0B0B : 0x1000 + 0x0101 * 90);
        EXPECT_EQ(scanner.bad_crc(), id == "mal-req-crc" ? 1u : 0u);
      });
  EXPECT_EQ(count, 3);
}

TEST(Malformed, TcpRequestsAreRefusedOrCloseTheConnection) {
  const int count =
      for_each_malformed("request", "tcp", [](const std::string& id, const auto& entry) {
        const auto frame = bytes_of(entry, "frame");
        const auto adu = mbap::next_adu(frame);
        if (id == "mal-req-protocol") {
          ASSERT_FALSE(adu);
          EXPECT_EQ(adu.error().code, Errc::malformed);
          return;
        }
        ASSERT_TRUE(adu);
        MemoryMap map = golden_map();
        EXPECT_EQ(to_hex(answer(map, adu->unit, adu->pdu)), "90 03");
      });
  EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace lightship::modbus
