# Debian bookworm's packages under short names, as SYSTEM includes so that their warnings are theirs.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(CLI11 REQUIRED)
find_package(cpprestsdk REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS system)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-cpp)

function(dependency name)
  add_library(${name} INTERFACE)
  target_link_libraries(${name} INTERFACE ${ARGN})
endfunction()

dependency(spdlog-dep spdlog::spdlog)
dependency(nlohmann-dep nlohmann_json::nlohmann_json)
dependency(prometheus-dep prometheus-cpp::core)
dependency(openssl-dep OpenSSL::SSL OpenSSL::Crypto)
dependency(cares-dep PkgConfig::CARES)
dependency(yaml-dep PkgConfig::YAML)
dependency(cli11-dep CLI11::CLI11)
dependency(cpprest-dep cpprestsdk::cpprest)
dependency(asio-dep Boost::boost Boost::system Threads::Threads)
# <utility> first: Boost 1.74's awaitable.hpp uses std::exchange without including it.
target_compile_options(asio-dep INTERFACE -include utility)
# Not BOOST_ASIO_NO_DEPRECATED: with it asio_handler_allocate(size_t, ...) is the same symbol with another result, and
# libcpprest, which was built without, would call the program's: a crash at its first request.
target_compile_definitions(asio-dep INTERFACE BOOST_ERROR_CODE_HEADER_ONLY)
