# The warnings that are errors here, and what every target is compiled with.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(flags INTERFACE)
target_compile_options(flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
# The presets of `./run test` compile up to eight files of a room as one, in about half the time; release and clang
# compile each by itself, with what it includes and no more. g++ takes the unnamed namespace of a file in a group for a
# header's.
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(flags INTERFACE -Wno-subobject-linkage)
endif()
target_include_directories(flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)

# A list, for example "address;undefined" (see CMakePresets.json).
set(AMBASSADOR_SANITIZE "" CACHE STRING "Sanitizers to build with")
foreach(sanitizer IN LISTS AMBASSADOR_SANITIZE)
  add_compile_options(-fsanitize=${sanitizer})
  add_link_options(-fsanitize=${sanitizer})
endforeach()
if(AMBASSADOR_FUZZ)  # the code under test gives coverage feedback
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if("thread" IN_LIST AMBASSADOR_SANITIZE)  # which cannot follow fences; whatever they order, a mutex orders as well
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
option(AMBASSADOR_COVERAGE "Count which lines run (clang)" OFF)
if(AMBASSADOR_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
if(AMBASSADOR_SANITIZE)
  add_compile_options(-fno-omit-frame-pointer -fno-sanitize-recover=all)
  # cpprestsdk and Catch2 pass objects between libraries whose type_info differs: the check of virtual tables sees foes.
  add_compile_options(-fno-sanitize=vptr)
endif()

# Of tests: compiled in half the time, since what is under test is in the rooms. Pointers are checked there, by ASan here.
add_library(test_flags INTERFACE)
target_link_libraries(test_flags INTERFACE flags)
target_compile_options(test_flags INTERFACE -O0)
if("undefined" IN_LIST AMBASSADOR_SANITIZE)
  target_compile_options(test_flags INTERFACE -fno-sanitize=null,alignment,object-size)
endif()

set(AMBASSADOR_COMMIT "" CACHE STRING "The commit that is built, shown by --version; read from git when empty")
if(NOT AMBASSADOR_COMMIT)
  execute_process(COMMAND git rev-parse --short=12 HEAD WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                  OUTPUT_VARIABLE AMBASSADOR_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
