# The kinds of target this project has; fuzz targets are declared in tests/fuzz.

# ww_library(name SOURCES a.c b.c [LINK ...]): a static library, also known as ww::name.
function(ww_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(ww_${name} STATIC ${ARG_SOURCES})
  add_library(ww::${name} ALIAS ww_${name})
  target_include_directories(ww_${name} PUBLIC ${PROJECT_SOURCE_DIR}/libs)
  target_link_libraries(ww_${name} PUBLIC ${ARG_LINK} PRIVATE ww_build)
  # Sanitizers and threads have to reach whoever links the library.
  target_link_libraries(ww_${name} PUBLIC Threads::Threads)
endfunction()

# ww_schema(001_init 002_more ...): the service's migrations, each of them schema/<name>.sql, are part of the program:
# schema.h, which is ${WW_SCHEMA}, has one C string for each.
function(ww_schema)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/schema.h)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/schema/ OUTPUT_VARIABLE files)
  list(TRANSFORM files APPEND .sql)
  set(embed ${PROJECT_SOURCE_DIR}/cmake/embed.cmake)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} "-DFILES=${files}" -P ${embed}
    DEPENDS ${files} ${embed} VERBATIM)
  set(WW_SCHEMA ${out} PARENT_SCOPE)
endfunction()

# ww_program(name SOURCES main.c [LINK ...])
function(ww_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/libs ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} ww_build)
endfunction()

# ww_add_test(name LABEL unit|integration|... TIMEOUT seconds COMMAND ...): what ctest runs, and how.
function(ww_add_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "COMMAND" ${ARGN})
  set(launcher "")
  if(WW_SANITIZE STREQUAL "thread")
    set(launcher setarch -R) # TSan needs its own address layout; kernels with many random bits break it
  endif()
  add_test(NAME ${name} COMMAND ${launcher} ${ARG_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES
    LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "WW_SOURCE_DIR=${PROJECT_SOURCE_DIR};WW_BIN_DIR=${PROJECT_BINARY_DIR}/bin;TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp;ASAN_OPTIONS=detect_leaks=1;LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan.supp;UBSAN_OPTIONS=print_stacktrace=1")
endfunction()

# ww_test(name LABEL unit|integration|... TIMEOUT seconds SOURCES a.c [LINK ...] [NOT_UNDER_TSAN]): a Check
# program run by ctest. NOT_UNDER_TSAN: its threads are those of its neighbours, which suffice there.
function(ww_test name)
  cmake_parse_arguments(ARG "NOT_UNDER_TSAN" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(ARG_NOT_UNDER_TSAN AND WW_SANITIZE STREQUAL "thread")
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  ww_program(${name} SOURCES ${ARG_SOURCES} LINK ${ARG_LINK} ww::support PkgConfig::CHECK)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  ww_add_test(${name} LABEL ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT} COMMAND $<TARGET_FILE:${name}>)
endfunction()
