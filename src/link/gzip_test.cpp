// The packed bytes, unpacked by zlib itself.
#include "link/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace lightship::link {
namespace {

std::string unpacked_by_zlib(const std::string& packed) {
  z_stream stream{};
  inflateInit2(&stream, 16 + MAX_WBITS);
  std::string plain(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  return plain;
}

TEST(Gzip, IsReadBackByZlib) {
  for (const std::string& text :
       {std::string(), std::string("{\"voltage_l1\":230.1}"), std::string(500'000, 'x')})
    EXPECT_EQ(unpacked_by_zlib(gzip(text)), text);
}

TEST(Gzip, MakesAMessageSmaller) {
  std::string message;
  for (int i = 0; i < 50; ++i) message += "\"voltage_l" + std::to_string(i) + "\":230.1,";
  EXPECT_LT(gzip(message).size(), message.size() / 4);
}

TEST(GzipStream, IsReadBackByZlib) {
  GzipStream stream;
  std::string packed, plain;
  for (int i = 0; i < 200; ++i) {
    const std::string part(static_cast<std::size_t>(i) * 20, static_cast<char>('a' + i % 26));
    plain += part;
    packed += stream.add(part);
  }
  packed += stream.finish();
  EXPECT_EQ(unpacked_by_zlib(packed), plain);
}

TEST(Gunzip, GivesBackWhatWasPacked) {
  for (const std::string text : {"", "a", "lamp lamp lamp lamp lamp"}) {
    const auto plain = gunzip(gzip(text), 100);
    ASSERT_TRUE(plain) << text;
    EXPECT_EQ(*plain, text);
  }
}

TEST(Gunzip, TakesWhatIsExactlyAsLongAsAllowedAndNoMore) {
  const auto packed = gzip(std::string(1000, 'x'));
  EXPECT_TRUE(gunzip(packed, 1000));
  EXPECT_EQ(gunzip(packed, 999).error().text, "more than 999 bytes unpacked");
}

TEST(Gunzip, RefusesWhatIsNoGzipOrCutOff) {
  EXPECT_EQ(gunzip("plain", 100).error().code, Errc::malformed);
  EXPECT_EQ(gunzip(std::string_view(gzip("lamp")).substr(0, 12), 100).error().code,
            Errc::malformed);
}

}  // namespace
}  // namespace lightship::link
