// etcd for programs that are not linked with gRPC: the registration as a module, "rps-etcd.so",
// which is loaded when it is asked for. So a server of stage 2 that does not register stays as
// small as it is: libgrpc is 14 MB of resident memory.
#pragma once

#include "core/server/registration.hpp"

namespace rps::etcd {

// directory() of registration.hpp. Its `read` loads the module from the program's own folder, and
// throws std::invalid_argument when it cannot.
server::Directory directory_in_module();

}  // namespace rps::etcd
