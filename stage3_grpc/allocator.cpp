// The servers allocate memory with jemalloc (docs/decisions/016-allocator.md). This file is linked
// into a program together with it.

// jemalloc reads this variable when the process starts; the variable MALLOC_CONF of the environment
// takes precedence. A thread of jemalloc's returns memory to the system that was free for 0.1 s,
// also when no call comes any more: after a flood the server is about as small as before.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,max_background_threads:1,dirty_decay_ms:100";
}
