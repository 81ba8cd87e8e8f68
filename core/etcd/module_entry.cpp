// What module.cpp calls in rps-etcd.so.
#include "core/etcd/directory.hpp"

extern "C" [[gnu::visibility("default")]] void rps_etcd_directory(rps::server::Directory& out) {
  out = rps::etcd::directory();
}
