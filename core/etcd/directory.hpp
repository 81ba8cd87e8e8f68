// etcd as the directory service of a server.
//
//     --register etcd://127.0.0.1:2379/prod?service=rps    lists the server under "prod/rps/" while
//                                                          it serves; the service is "rps" without
//                                                          the parameter
//     --config etcd://127.0.0.1:2379/prod/rps.conf         reads flags from the key "prod/rps.conf"
//
// Both take etcds:// and the parameters of connection.hpp as well.
#pragma once

#include "core/server/directory.hpp"

namespace rps::etcd {

// From then on gRPC's own log is dropped until somebody else takes it: the reasons of what fails
// are in the statuses as well, and gRPC would write them to stderr and wait for its reader.
server::Directory directory();

}  // namespace rps::etcd
