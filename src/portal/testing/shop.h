// A field and a portal of a test on one loop, whose time passes as it is needed.
#pragma once

#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/manual_clock.h"
#include "core/context.h"
#include "portal/field.h"
#include "portal/router.h"

namespace lightship::portal {

struct Shop {
  explicit Shop(std::filesystem::path config_dir = {}, std::filesystem::path data_dir = {})
      : context{loop.get_executor(),
                clock,
                book,
                catalog,
                cache,
                bus,
                metrics,
                progress,
                owners,
                alerts,
                watch,
                worker,
                heirlooms,
                "rtu",
                std::move(config_dir),
                std::move(data_dir)} {}
  ~Shop() {
    book.flush(true);
    std::fclose(nowhere);
  }

  // What the task returned; the clock is moved while it waits. Throws what it threw.
  template <class T>
  T answer(Task<T> task) {
    std::optional<T> told;
    std::exception_ptr failure;
    bool over = false;
    asio::co_spawn(loop, std::move(task), [&](std::exception_ptr why, T value) {
      failure = why;
      if (!why) told = std::move(value);
      over = true;
    });
    for (int turn = 0; !over && turn < 20'000; ++turn) {
      clock.advance(std::chrono::milliseconds(20));
      if (over) break;
      loop.restart();
      loop.run_for(std::chrono::milliseconds(1));  // a worker thread may be about to answer
      loop.restart();
    }
    if (failure) std::rethrow_exception(failure);
    return std::move(told.value());
  }

  // GET or, with a body, POST, as `caller`.
  Response ask(Router& of, std::string path, std::string query = {}, std::string body = {},
               std::vector<std::pair<std::string, std::string>> headers = {}) {
    Request request;
    request.method = body.empty() ? "GET" : "POST";
    request.path = std::move(path);
    request.query = std::move(query);
    request.body = std::move(body);
    request.headers = std::move(headers);
    request.peer = asio::ip::make_address("192.0.2.7");
    return answer(of.answer(request));
  }
  std::string all_pieces(const Response& response) {
    std::string all;
    while (auto piece = answer(response.pieces())) all += *piece;
    return all;
  }

  struct OpenGate : Gate {
    Caller caller{"anna", Role::admin, "", "script", "", false};
    std::optional<Caller> who(const Request&) override { return caller; }
  };
  static Task<Response> nothing(const Request&, const std::optional<Caller>&) {
    co_return problem(404, "Not Found", "nothing here");
  }

  asio::io_context loop;
  ManualClock clock{loop};
  std::FILE* nowhere = std::fopen("/dev/null", "we");
  Logbook book{clock, nowhere, Logbook::Form::text, Level::info};
  Catalog catalog;
  Cache cache{catalog};
  Bus bus{loop.get_executor(), cache};
  Metrics metrics;
  Progress progress{clock};
  Owners owners;
  Alerts alerts{clock};
  ClockWatch watch{clock, Time{}};
  Worker worker;
  std::map<std::string, std::shared_ptr<void>> heirlooms;
  Context context;
  Field field{context};
  OpenGate gate;
  Router router{gate, nothing};
};

}  // namespace lightship::portal
