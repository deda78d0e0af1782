// zlib with the header of gzip.
#include "link/gzip.h"

#include <stdexcept>

#include <zlib.h>

namespace lightship::link {
namespace {

constexpr int kGzipHeader = 16;  // added to the window's size: gzip instead of zlib around it
constexpr int kMemory = 8;       // zlib's default, 256 KiB while it packs

}  // namespace

std::string gzip(std::string_view plain) {
  z_stream stream{};
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzipHeader, kMemory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string packed(::deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int done = ::deflate(&stream, Z_FINISH);  // with deflateBound's room it needs one call
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (done != Z_STREAM_END) throw std::logic_error("gzip: deflateBound was too small");
  return packed;
}

}  // namespace lightship::link
