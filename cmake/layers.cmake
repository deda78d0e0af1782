# lightship_layer(NAME DIR [DEPS ...]): the folder DIR as the library NAME and, where it has *_test.cpp, the
# GoogleTest program unit/NAME_test. Sources are found, not listed: a file belongs to the folder it lies in.
add_custom_target(unit_tests)
add_custom_target(fuzzers)

function(lightship_layer name dir)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "DEPS;TEST_DEPS")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(NOT sources)
    return()
  endif()

  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PUBLIC ${arg_DEPS})
  target_precompile_headers(${name} REUSE_FROM lightship_pch)

  if(tests AND GTest_FOUND)
    add_executable(${name}_test EXCLUDE_FROM_ALL ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} ${arg_TEST_DEPS} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE LIGHTSHIP_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_precompile_headers(${name}_test REUSE_FROM lightship_pch)
    set_target_properties(${name}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unit)
    add_dependencies(unit_tests ${name}_test)
  endif()
endfunction()

# lightship_fuzz(NAME DEPS ...): fuzz/NAME.cpp as build/<preset>/fuzz/NAME; without libFuzzer its main
# replays the files and folders it is given.
function(lightship_fuzz name)
  add_executable(fuzz_${name} EXCLUDE_FROM_ALL ${name}.cpp)
  target_link_libraries(fuzz_${name} PRIVATE ${ARGN})
  if(LIGHTSHIP_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${name} PRIVATE replay_main.cpp)
  endif()
  target_precompile_headers(fuzz_${name} REUSE_FROM lightship_pch)
  set_target_properties(fuzz_${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz OUTPUT_NAME ${name})
  add_dependencies(fuzzers fuzz_${name})
endfunction()
