# Compiler settings that hold for every target: C++23, warnings, sanitizers, ccache and mold when present.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers
  -fno-omit-frame-pointer -fstack-protector-strong)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG -gline-tables-only")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-ffunction-sections -fdata-sections)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_link_options(-Wl,--gc-sections)
endif()

if(LIGHTSHIP_SANITIZE)
  add_compile_options(-fsanitize=${LIGHTSHIP_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LIGHTSHIP_SANITIZE})
endif()
if(LIGHTSHIP_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(LIGHTSHIP_CCACHE ccache)
if(LIGHTSHIP_CCACHE)
  # The precompiled header is identified by its content, not its time.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${LIGHTSHIP_CCACHE})
endif()
find_program(LIGHTSHIP_MOLD mold)
if(LIGHTSHIP_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
