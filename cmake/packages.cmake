# Third-party libraries, each behind one of our own: tests/layers checks that nobody else includes them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# GLOBAL, so that a subdirectory can link them; SYSTEM by nature of imported targets.
pkg_check_modules(NATS REQUIRED IMPORTED_TARGET GLOBAL libnats)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET GLOBAL libpq)
pkg_check_modules(JWT REQUIRED IMPORTED_TARGET GLOBAL libjwt)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET GLOBAL libcrypto)
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET GLOBAL libssl)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET GLOBAL zlib)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET GLOBAL jansson)
pkg_check_modules(MSGPACK REQUIRED IMPORTED_TARGET GLOBAL msgpack)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET GLOBAL libprotobuf-c)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET GLOBAL libuv)
pkg_check_modules(CHECK REQUIRED IMPORTED_TARGET GLOBAL check)
find_library(CIVETWEB_LIBRARY civetweb REQUIRED)
find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)
