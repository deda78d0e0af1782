# Builds the portal's pages and links them into a library, or takes pages that are ready-made.
set(LIGHTSHIP_WEB_DIST "" CACHE PATH "built pages of the portal to take instead of building them: no Node is needed")

function(lightship_embed_site target)
  set(web ${CMAKE_SOURCE_DIR}/web)
  file(GLOB_RECURSE inputs CONFIGURE_DEPENDS ${web}/src/* ${web}/public/*)
  list(FILTER inputs EXCLUDE REGEX "\\.test\\.ts$")
  foreach(name index.html login.html package.json package-lock.json svelte.config.js tsconfig.json vite.config.ts
      scripts/budget.mjs scripts/build.py scripts/embed.py)
    list(APPEND inputs ${web}/${name})
  endforeach()

  # One folder for all presets: a sanitizer's build takes the pages that the release's has made.
  set(out ${CMAKE_SOURCE_DIR}/build/web)
  set(given)
  if(LIGHTSHIP_WEB_DIST)
    set(out ${CMAKE_BINARY_DIR}/web)
    set(given --dist ${LIGHTSHIP_WEB_DIST})
    file(GLOB_RECURSE ready CONFIGURE_DEPENDS ${LIGHTSHIP_WEB_DIST}/*)
    list(APPEND inputs ${ready})
  endif()

  find_program(LIGHTSHIP_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
  find_program(LIGHTSHIP_PYTHON NAMES python3 REQUIRED)
  add_custom_command(OUTPUT ${out}/site/site_data.S ${out}/site/site_table.cpp
    COMMAND ${LIGHTSHIP_PYTHON} -B ${web}/scripts/build.py --out ${out} ${given}
    DEPENDS ${inputs} COMMENT "The portal's pages" VERBATIM)
  # A target of its own, which waits for none of the libraries.
  add_custom_target(portal_pages DEPENDS ${out}/site/site_data.S ${out}/site/site_table.cpp)
  add_dependencies(${target} portal_pages)
  target_sources(${target} PRIVATE ${out}/site/site_data.S ${out}/site/site_table.cpp)
endfunction()

# The description of the portal's API, as text in the library.
function(lightship_embed_openapi target)
  set(file ${CMAKE_CURRENT_SOURCE_DIR}/portal/openapi.json)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/openapi_text.cpp)
  # A compiler cache does not look into what is embedded: the content's hash makes a change visible.
  file(SHA256 ${file} hash)
  file(CONFIGURE OUTPUT ${out} CONTENT "// ${hash}, embedded by cmake/web.cmake.
#include \"portal/api/openapi.h\"
#pragma clang diagnostic ignored \"-Wc23-extensions\"
namespace lightship::portal {
namespace {
constexpr char kText[] = {
#embed \"${file}\"
};
}  // namespace
const std::string_view kOpenapi{kText, sizeof kText};
}  // namespace lightship::portal
" @ONLY)
  target_sources(${target} PRIVATE ${out})
  set_source_files_properties(${out} PROPERTIES OBJECT_DEPENDS ${file})
endfunction()
