// The portal's pages and files, as the build has packed them into the program.
//
// A stranger gets the login page and what that is made of, whatever the path, and nothing else. Who
// is in gets files by their names, and the portal's page for every other path: its own router knows
// what is there. Files below /assets have hashed names and are kept by browsers for ever; the rest
// is asked for each time and answered 304 while it is the same.
#pragma once

#include <filesystem>
#include <map>
#include <span>

#include "base/worker.h"
#include "portal/auth/caller.h"
#include "portal/http/message.h"

namespace lightship::portal {

// What web/scripts/embed.py writes a row of.
struct SiteFile {
  std::string_view path;  // "/assets/index-Dr4-0ksZ.js"
  std::string_view type;
  std::string_view etag;  // in its quotes: the SHA-256 of the raw bytes
  const char* begin;
  const char* end;
  std::size_t raw_size;
  bool gzip;   // what lies between begin and end is packed
  bool login;  // the login page is made of it

  std::string_view bytes() const { return {begin, end}; }
};

// Sorted by path.
extern const std::span<const SiteFile> kSiteFiles;

class SiteFiles {
 public:
  explicit SiteFiles(std::span<const SiteFile> files = kSiteFiles) : files_(files) {}
  // For development: from a folder that `npm run build` fills, read anew each time. Empty: those of
  // the program.
  explicit SiteFiles(std::filesystem::path root)
      : files_(kSiteFiles),
        root_(std::move(root)),
        disk_(root_.empty() ? nullptr : std::make_unique<Worker>()) {}

  Task<Response> answer(const Request& request, const std::optional<Caller>& caller);

 private:
  struct Found;
  Task<std::optional<Found>> find(std::string path);
  std::shared_ptr<const std::string> unpacked(const SiteFile& file);

  std::span<const SiteFile> files_;
  std::filesystem::path root_;
  std::unique_ptr<Worker> disk_;
  // Few ask for it: every browser takes gzip.
  std::map<std::string_view, std::shared_ptr<const std::string>> unpacked_;
};

// RFC 9110, 12.5.3: whether gzip may be sent, and is not liked less than plain bytes.
bool takes_gzip(std::string_view accept_encoding);
// RFC 9110, 13.1.2.
bool matches(std::string_view if_none_match, std::string_view etag);

}  // namespace lightship::portal
