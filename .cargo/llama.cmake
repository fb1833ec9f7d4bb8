# Read by CMake after each `project` of whisper.cpp and llama.cpp. The build script of llama-cpp-sys-2 sets this to ON for a feature
# that llama-cpp-2 does not let one leave out.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "not needed" FORCE)
