// Every request and answer that real peers were recorded with.
#include <gtest/gtest.h>

#include "codec/modbus/mbap.h"
#include "codec/modbus/reply_scanner.h"
#include "codec/modbus/request_scanner.h"
#include "codec/modbus/vectors_for_test.h"

namespace lightship::modbus {
namespace {

class Pairs : public testing::Test {
 protected:
  struct Pair {
    std::string id, kind;
    std::uint8_t unit;
    std::uint16_t transaction;
    int exception;
    ByteVector rtu_request, rtu_response, tcp_request, tcp_response;

    Bytes request_pdu() const { return Bytes(tcp_request).subspan(mbap::kHeader); }
    Bytes response_pdu() const { return Bytes(tcp_response).subspan(mbap::kHeader); }
  };

  static std::vector<Pair> all() {
    std::vector<Pair> pairs;
    for (const auto& entry : vectors().at("pairs").as_array()) {
      const auto* exception = entry.as_object().if_contains("exception");
      pairs.push_back({text_of(entry, "id"), text_of(entry, "kind"),
                       entry.at("unit").to_number<std::uint8_t>(),
                       entry.at("transaction").to_number<std::uint16_t>(),
                       exception != nullptr ? exception->to_number<int>() : 0,
                       bytes_of(entry, "rtu_request"), bytes_of(entry, "rtu_response"),
                       bytes_of(entry, "tcp_request"), bytes_of(entry, "tcp_response")});
    }
    return pairs;
  }

  // What a client asked, also where no server may serve it.
  static std::optional<Request> asked(const Pair& pair) {
    if (auto request = decode_request(pair.request_pdu())) return *request;
    const auto function = static_cast<Function>(pair.request_pdu()[0]);
    if (!is_read(function)) return std::nullopt;
    return Read{function, load_u16(&pair.request_pdu()[1]), load_u16(&pair.request_pdu()[3])};
  }
};

TEST_F(Pairs, AreAllThere) { EXPECT_EQ(all().size(), 73u); }

TEST_F(Pairs, RequestsDecodeAndEncodeToTheSameBytes) {
  for (const auto& pair : all()) {
    SCOPED_TRACE(pair.id);
    const auto request = asked(pair);
    if (!request) continue;
    EXPECT_EQ(to_hex(encode(*request)), to_hex(pair.request_pdu()));
    EXPECT_EQ(to_hex(rtu::frame(pair.unit, encode(*request))), to_hex(pair.rtu_request));
    EXPECT_EQ(to_hex(mbap::frame(pair.transaction, pair.unit, encode(*request))),
              to_hex(pair.tcp_request));
    ByteVector batch;
    mbap::append_frame(batch, pair.transaction, pair.unit, *request);
    EXPECT_EQ(to_hex(batch), to_hex(pair.tcp_request));
  }
}

TEST_F(Pairs, ImpossibleRequestsAreRefusedWithTheExceptionOfTheServer) {
  int impossible = 0;
  for (const auto& pair : all()) {
    SCOPED_TRACE(pair.id);
    const auto request = decode_request(pair.request_pdu());
    if (pair.exception == 1 || pair.exception == 3) {
      ++impossible;
      ASSERT_FALSE(request);
      EXPECT_EQ(request.error().code, Errc::refused);
      EXPECT_EQ(request.error().detail, pair.exception);
    } else {
      EXPECT_TRUE(request) << request.error().text;
    }
  }
  EXPECT_EQ(impossible, 5);
}

TEST_F(Pairs, AnswersDecodeAndEncodeToTheSameBytes) {
  for (const auto& pair : all()) {
    SCOPED_TRACE(pair.id);
    const auto request = asked(pair);
    if (!request) continue;
    const auto reply = decode_reply(*request, pair.response_pdu());
    if (pair.exception != 0) {
      ASSERT_FALSE(reply);
      EXPECT_EQ(reply.error().code, Errc::refused);
      EXPECT_EQ(reply.error().detail, pair.exception);
      EXPECT_EQ(
          rtu::frame(pair.unit, encode_exception(pair.request_pdu()[0], Exception(pair.exception))),
          pair.rtu_response);
      continue;
    }
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(to_hex(encode(*reply)), to_hex(pair.response_pdu()));
    EXPECT_EQ(to_hex(rtu::frame(pair.unit, encode(*reply))), to_hex(pair.rtu_response));
    ByteVector batch;
    mbap::append_frame(batch, pair.transaction, pair.unit, *reply);
    EXPECT_EQ(to_hex(batch), to_hex(pair.tcp_response));
    if (const auto expected = expected_reply_size(*request)) {
      EXPECT_EQ(*expected, pair.response_pdu().size());
    }
  }
}

TEST_F(Pairs, LengthsAreKnownFromTheFirstBytes) {
  for (const auto& pair : all()) {
    SCOPED_TRACE(pair.id);
    EXPECT_EQ(rtu::reply_length(pair.rtu_response), pair.rtu_response.size());
    if (is_known(pair.rtu_request[1])) {
      EXPECT_EQ(rtu::request_length(pair.rtu_request), pair.rtu_request.size());
    }
    for (std::size_t size = 0; size < pair.rtu_response.size(); ++size) {
      const auto length = rtu::reply_length(Bytes(pair.rtu_response).first(size));
      if (length) {
        EXPECT_EQ(*length, pair.rtu_response.size());
      } else {
        EXPECT_EQ(length.error().code, Errc::incomplete);
      }
    }
  }
}

TEST_F(Pairs, ScannersFindThemInAnyTwoPieces) {
  for (const auto& pair : all()) {
    SCOPED_TRACE(pair.id);
    const auto request = asked(pair);
    if (!request) continue;
    for (std::size_t cut = 0; cut <= pair.rtu_response.size(); ++cut) {
      rtu::ReplyScanner scanner(pair.unit, *request, pair.rtu_request);
      scanner.feed(Bytes(pair.rtu_response).first(cut));
      scanner.feed(Bytes(pair.rtu_response).subspan(cut));
      ASSERT_EQ(scanner.next().kind, Scan::Kind::reply) << cut;
      EXPECT_EQ(to_hex(scanner.next().pdu), to_hex(pair.response_pdu()));
      EXPECT_EQ(scanner.rejects(), Rejects{});
    }
  }
}

TEST_F(Pairs, ScannersFindEveryRequestInOneLongStream) {
  ByteVector stream;
  std::vector<std::string> expected, seen;
  for (const auto& pair : all()) {
    if (!is_known(pair.rtu_request[1])) continue;
    put_bytes(stream, pair.rtu_request);
    expected.push_back(to_hex(pair.request_pdu()));
  }
  rtu::RequestScanner scanner;
  for (const auto byte : stream) {
    scanner.feed(Bytes(&byte, 1));
    while (const auto frame = scanner.next()) seen.push_back(to_hex(frame->pdu));
  }
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(scanner.dropped_bytes(), 0u);
}

TEST_F(Pairs, ServerAnswersAsTheRecordedOnes) {
  MemoryMap map = golden_map();
  for (const auto& pair : all()) {
    SCOPED_TRACE(pair.id);
    if (pair.exception >= 4) continue;
    const auto answered = answer(map, pair.unit, pair.request_pdu());
    if (pair.kind == "peer-specific") {
      const auto request = asked(pair);
      EXPECT_EQ(judge(*request, answered), Verdict::good) << to_hex(answered);
    } else {
      EXPECT_EQ(to_hex(answered), to_hex(pair.response_pdu()));
    }
  }
}

}  // namespace
}  // namespace lightship::modbus
