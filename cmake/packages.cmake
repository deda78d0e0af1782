# The libraries Lightship stands on, and how each is compiled.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(ZLIB REQUIRED)
find_library(RE2 re2 REQUIRED)
find_package(GTest)
find_package(benchmark)
find_library(PAHO_MQTT3AS paho-mqtt3as REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)

# Separate compilation: the sources are in src/third_party.
add_compile_definitions(
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE
  BOOST_BEAST_SEPARATE_COMPILATION BOOST_JSON_NO_LIB BOOST_URL_NO_LIB
  BOOST_ERROR_CODE_HEADER_ONLY SPDLOG_FMT_EXTERNAL SPDLOG_COMPILED_LIB)
