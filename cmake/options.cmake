# One interface target carries what every target of ours is compiled with.
option(WW_WERROR "Treat warnings as errors" OFF)
set(WW_SANITIZE "" CACHE STRING "Sanitizers to build with: empty, 'address,undefined' or 'thread'")
option(WW_FUZZ "Link the fuzz targets with libFuzzer (clang alone has it)" OFF)

add_library(ww_build INTERFACE)
target_compile_definitions(ww_build INTERFACE _GNU_SOURCE WW_VERSION="${PROJECT_VERSION}")
target_compile_options(ww_build INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes -Wvla
  -Wformat=2 -Wundef -Wcast-qual $<$<BOOL:${WW_WERROR}>:-Werror>
  -fno-omit-frame-pointer -fstack-protector-strong)
target_link_options(ww_build INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)

if(WW_SANITIZE)
  target_compile_options(ww_build INTERFACE -fsanitize=${WW_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(ww_build INTERFACE -fsanitize=${WW_SANITIZE})
else()
  target_compile_options(ww_build INTERFACE $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
endif()

# Asserts state what cannot happen and stay on in every build: never -DNDEBUG.
foreach(config RELEASE RELWITHDEBINFO)
  string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${config} "${CMAKE_C_FLAGS_${config}}")
  string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_${config} "${CMAKE_C_FLAGS_${config}}")
endforeach()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()
