// etcd for programs that are not linked with gRPC: directory.hpp as a module, "rps-etcd.so", which
// is loaded when it is asked for. So a server of stage 2 that does not use etcd stays as small as
// it is: libgrpc is 14 MB of resident memory.
#pragma once

#include "core/server/directory.hpp"

namespace rps::etcd {

// directory() of directory.hpp. Its functions load the module from the program's own folder, and
// throw std::invalid_argument when they cannot.
server::Directory directory_in_module();

}  // namespace rps::etcd
