# Compiles every meters/*.yaml into the library of the Modbus source.
function(lightship_embed_meters target)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/meters/*.yaml)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/meter_files.cpp)
  set(arrays "")
  set(table "")
  set(number 0)
  foreach(file ${files})
    get_filename_component(name ${file} NAME)
    # A compiler cache does not look into what is embedded: the content's hash makes a change visible.
    file(SHA256 ${file} hash)
    string(APPEND arrays "// ${hash}\nconstexpr char kFile${number}[] = {\n#embed \"${file}\"\n};\n")
    string(APPEND table "    {\"${name}\", {kFile${number}, sizeof kFile${number}}},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  file(CONFIGURE OUTPUT ${out} CONTENT "// Made by cmake/meters.cmake.
#include \"sources/modbus/meter_files.h\"
#pragma clang diagnostic ignored \"-Wc23-extensions\"
namespace lightship::poller {
namespace {
${arrays}constexpr MeterFile kTable[] = {
${table}};
}  // namespace
const std::span<const MeterFile> kMeterFiles = kTable;
}  // namespace lightship::poller
" @ONLY)
  target_sources(${target} PRIVATE ${out})
  set_source_files_properties(${out} PROPERTIES OBJECT_DEPENDS "${files}")
endfunction()
