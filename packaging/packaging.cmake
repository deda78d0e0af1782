# Where the program and what belongs to it are installed, and the .deb (cpack -G DEB).

# Without a word about it, where Debian expects things: the unit's ExecStart depends on it.
if(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT)
  set(CMAKE_INSTALL_PREFIX /usr CACHE PATH "where cmake --install puts Lightship" FORCE)
endif()
include(GNUInstallDirs)

set(packaging ${CMAKE_CURRENT_LIST_DIR})
set(packaged ${CMAKE_BINARY_DIR}/packaging)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${packaging}/lightship.service ${packaging}/lightship.1)

install(TARGETS lightship RUNTIME)

# The unit names the program by its full path.
file(READ ${packaging}/lightship.service unit)
string(REPLACE "/usr/bin/lightship" "${CMAKE_INSTALL_FULL_BINDIR}/lightship" unit "${unit}")
file(WRITE ${packaged}/lightship.service "${unit}")
install(FILES ${packaged}/lightship.service DESTINATION lib/systemd/system)

# Compressed, as Debian wants man pages; -n leaves out time and name, so that builds stay the same.
find_program(GZIP gzip)
if(GZIP)
  execute_process(COMMAND ${GZIP} -9nc ${packaging}/lightship.1 OUTPUT_FILE ${packaged}/lightship.1.gz
    COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${packaged}/lightship.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
else()
  install(FILES ${packaging}/lightship.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()

install(FILES ${packaging}/lightship.bash-completion RENAME lightship
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/lightship)
install(FILES ${packaging}/supervisor/lightship.conf
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/lightship/examples/supervisor)
install(FILES ${CMAKE_SOURCE_DIR}/docs/configuration.md
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/lightship OPTIONAL)
if(EXISTS ${CMAKE_SOURCE_DIR}/examples)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/examples/ DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/lightship/examples)
endif()
if(EXISTS ${CMAKE_SOURCE_DIR}/meters)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/meters/ DESTINATION ${CMAKE_INSTALL_DATADIR}/lightship/meters
    FILES_MATCHING PATTERN "*.yaml")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lightship)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Lightship contributors <lightship@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "edge gateway for Modbus meters and other field devices")
set(CPACK_PACKAGE_DESCRIPTION
  "Lightship polls Modbus meters and other field devices, keeps the last that each\n"
  "of them said, and passes it on to MQTT brokers and as a Modbus TCP gateway.\n"
  "What a broker has not acknowledged waits for it. One program, no language runtime.")
string(JOIN "" CPACK_PACKAGE_DESCRIPTION ${CPACK_PACKAGE_DESCRIPTION})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS mosquitto)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${packaging}/debian/postinst ${packaging}/debian/prerm ${packaging}/debian/postrm)
include(CPack)
