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

server::Directory directory();

}  // namespace rps::etcd
