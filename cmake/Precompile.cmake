# Precompiled headers: what many files include and is slow to parse is parsed once per preset. Files still include what
# they use: the presets without them (release, clang) and check_headers fail otherwise.
#
# precompiled(pch_asio DEPENDENCIES asio nlohmann HEADERS <boost/asio.hpp> ...) makes one (FLAGS test_flags: with these
# flags); precompile(target kind room) lets a target use the one that fits what its room links, so that its compiler flags
# are the same; kind: "" or "_test".
file(WRITE ${CMAKE_BINARY_DIR}/generated/precompiled.cpp "")

function(precompiled name)
  cmake_parse_arguments(PCH "" "FLAGS" "DEPENDENCIES;HEADERS" ${ARGN})
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/generated/precompiled.cpp)
  target_link_libraries(${name} PRIVATE flags ${PCH_FLAGS})
  foreach(dependency IN LISTS PCH_DEPENDENCIES)
    target_link_libraries(${name} PRIVATE ${dependency}-dep)
  endforeach()
  target_precompile_headers(${name} PRIVATE ${PCH_HEADERS})
endfunction()

set(standard_headers <algorithm> <array> <chrono> <cstdint> <functional> <map> <memory> <mutex> <optional> <set> <span>
                     <string> <string_view> <thread> <utility> <variant> <vector>)
set(json_headers ${standard_headers} <nlohmann/json.hpp>)
set(asio_headers ${json_headers} <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp> <boost/asio/post.hpp>
                 <boost/asio/posix/stream_descriptor.hpp> <boost/asio/steady_timer.hpp> <boost/asio/write.hpp>)
precompiled(pch_json DEPENDENCIES nlohmann HEADERS ${json_headers})
precompiled(pch_asio DEPENDENCIES asio nlohmann HEADERS ${asio_headers})
if(AMBASSADOR_TESTS)
  precompiled(pch_json_test FLAGS test_flags DEPENDENCIES nlohmann HEADERS ${json_headers} <catch2/catch.hpp>)
  precompiled(pch_asio_test FLAGS test_flags DEPENDENCIES asio nlohmann HEADERS ${asio_headers} <catch2/catch.hpp>)
endif()

# The dependencies of a room and of all rooms that it links: property AMBASSADOR_LINKS of its target, kept by room().
function(precompile target kind room)
  string(REPLACE "/" "_" room ${room})
  get_target_property(links ${room} AMBASSADOR_LINKS)
  if(asio IN_LIST links)
    target_precompile_headers(${target} REUSE_FROM pch_asio${kind})
  elseif(kind OR nlohmann IN_LIST links)
    target_precompile_headers(${target} REUSE_FROM pch_json${kind})
  else()
    return()
  endif()
  # To g++ 12, what it inlines from a precompiled header is not a system header's: false alarms about std::string. The
  # release preset, without precompiled headers, keeps these warnings.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow)
  endif()
endfunction()
