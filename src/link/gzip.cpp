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

Result<std::string> gunzip(std::string_view packed, std::size_t most) {
  z_stream stream{};
  if (::inflateInit2(&stream, MAX_WBITS + kGzipHeader) != Z_OK) throw std::bad_alloc();
  std::string plain(most + 1, '\0');  // one byte more than may be shows what is too long
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  const int done = ::inflate(&stream, Z_FINISH);
  const std::size_t size = stream.total_out;
  ::inflateEnd(&stream);
  if (size > most) return fail(Errc::malformed, "more than {} bytes unpacked", most);
  if (done != Z_STREAM_END)
    return fail(Errc::malformed, "not gzip, or cut off after {} bytes", size);
  plain.resize(size);
  return plain;
}

struct GzipStream::State {
  z_stream stream{};
};

GzipStream::GzipStream() : state_(std::make_unique<State>()) {
  if (::deflateInit2(&state_->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzipHeader,
                     kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
}

GzipStream::~GzipStream() { ::deflateEnd(&state_->stream); }

std::string GzipStream::pack(std::string_view plain, int how) {
  auto& stream = state_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  std::string packed;
  char part[16 * 1024];
  do {
    stream.next_out = reinterpret_cast<Bytef*>(part);
    stream.avail_out = sizeof part;
    ::deflate(&stream, how);
    packed.append(part, sizeof part - stream.avail_out);
  } while (stream.avail_out == 0);
  return packed;
}

std::string GzipStream::add(std::string_view plain) { return pack(plain, Z_NO_FLUSH); }
std::string GzipStream::finish() { return pack({}, Z_FINISH); }

}  // namespace lightship::link
