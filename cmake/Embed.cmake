# embed(proxy/admin page.html ambassador::proxy::admin kPage): the file's text becomes the std::string_view that
# page.hpp declares, compiled into the room's library.
function(embed room file namespace name)
  string(REPLACE "/" "_" target ${room})
  get_filename_component(stem ${file} NAME_WE)
  set(path ${CMAKE_SOURCE_DIR}/${room}/${file})
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  file(READ ${path} EMBEDDED_TEXT)
  set(source ${CMAKE_BINARY_DIR}/generated/${room}/${stem}.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
#include "@room@/@stem@.hpp"
const std::string_view @namespace@::@name@ = R"embedded(@EMBEDDED_TEXT@)embedded";
]])
  target_sources(${target} PRIVATE ${source})
endfunction()
