// Whether a request is a possible one, whatever the device serves.
#include "codec/modbus/exception.h"
#include "codec/modbus/overload.h"
#include "codec/modbus/request.h"

namespace lightship::modbus {
namespace {

constexpr std::uint32_t kSpaceEnd = 0x10000;

std::unexpected<Error> refuse(Exception exception, std::string text) {
  return fail(Error{Errc::refused, std::move(text), code(exception)});
}

Result<void> check_count(std::string_view what, std::size_t count, std::size_t most) {
  if (count >= 1 && count <= most) return {};
  return refuse(Exception::illegal_value,
                fmt::format("{} {}, 1 to {} are allowed", count, what, most));
}

Result<void> check_end(std::uint32_t address, std::size_t count) {
  if (address + count <= kSpaceEnd) return {};
  return refuse(Exception::illegal_address,
                fmt::format("{} + {} is past address 65535", address, count));
}

Result<void> check_range(std::string_view what, std::uint16_t address, std::size_t count,
                         std::size_t most) {
  if (auto possible = check_count(what, count, most); !possible) return possible;
  return check_end(address, count);
}

Result<void> check_record(std::uint16_t file, std::uint16_t record) {
  if (file != 0 && record <= kMaxFileRecord) return {};
  return refuse(Exception::illegal_address,
                fmt::format("record {} of file {} cannot be", record, file));
}

// The groups of 20 must fit the answer, those of 21 the request.
Result<void> check_file(const ReadFile& read) {
  std::size_t answer = 2;
  for (const auto& range : read.ranges) {
    if (auto possible = check_count("registers of a file", range.length, kMaxReadRegisters);
        !possible)
      return possible;
    answer += 2 + 2u * range.length;
  }
  if (read.ranges.empty() || 2 + 7 * read.ranges.size() > kMaxPdu || answer > kMaxPdu) {
    return refuse(Exception::illegal_value,
                  fmt::format("{} file ranges do not fit", read.ranges.size()));
  }
  for (const auto& range : read.ranges) {
    if (auto possible = check_record(range.file, range.record); !possible) return possible;
  }
  return {};
}

Result<void> check_file(const WriteFile& write) {
  std::size_t size = 2;
  for (const auto& record : write.records) {
    if (auto possible = check_count("registers of a file", record.values.size(), kMaxReadRegisters);
        !possible) {
      return possible;
    }
    size += 7 + 2 * record.values.size();
  }
  if (write.records.empty() || size > kMaxPdu) {
    return refuse(Exception::illegal_value,
                  fmt::format("{} file records do not fit", write.records.size()));
  }
  for (const auto& record : write.records) {
    if (auto possible = check_record(record.file, record.record); !possible) return possible;
  }
  return {};
}

}  // namespace

Result<void> check(const Request& request) {
  return std::visit(
      Overload{
          [](const Read& r) {
            if (!is_read(r.function)) {
              return Result<void>(refuse(Exception::illegal_function, "not a function that reads"));
            }
            return check_range(is_bit_read(r.function) ? "bits" : "registers", r.address, r.count,
                               max_count(r.function));
          },
          [](const WriteCoils& r) {
            if (r.values.packed.size() != packed_size(r.values.count)) {
              return Result<void>(
                  refuse(Exception::illegal_value, "coils and their bytes do not agree"));
            }
            return check_range("coils", r.address, r.values.count, kMaxWriteBits);
          },
          [](const WriteRegisters& r) {
            return check_range("registers", r.address, r.values.size(), kMaxWriteRegisters);
          },
          [](const ReadFile& r) { return check_file(r); },
          [](const WriteFile& r) { return check_file(r); },
          [](const ReadWrite& r) {
            if (auto possible = check_count("registers to read", r.read_count, kMaxReadRegisters);
                !possible) {
              return possible;
            }
            if (auto possible = check_range("registers to write", r.write_address, r.values.size(),
                                            kMaxReadWriteRegisters);
                !possible) {
              return possible;
            }
            return check_end(r.read_address, r.read_count);
          },
          [](const Identify& r) {
            if (r.access >= 1 && r.access <= 4) return Result<void>();
            return Result<void>(refuse(Exception::illegal_value,
                                       fmt::format("access {}, 1 to 4 are allowed", r.access)));
          },
          [](const auto&) { return Result<void>(); },
      },
      request);
}

}  // namespace lightship::modbus
