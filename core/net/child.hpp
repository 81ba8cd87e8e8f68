// Child processes whose stdin and stdout are a stream.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/net/stream.hpp"

namespace rps::net {

// Starts a child with non-blocking pipes on its stdin and stdout; stderr is shared. argv[0] is the
// path. Throws std::system_error.
//
// Writing to the pipe of a child that died raises SIGPIPE, and unlike for sockets no flag of the
// call prevents it. So this sets SIGPIPE to ignored, for the whole process, when its default action
// would end the process; an installed handler stays. The child starts with the default
// action.
Stream spawn_child(const std::vector<std::string>& argv);

// The same with a pseudo-terminal instead of the pipes. Its line discipline collects lines, as
// a person's terminal does, but neither echoes them nor turns \n into \r\n. It is not the child's
// controlling terminal.
Stream spawn_child_on_terminal(const std::vector<std::string>& argv);

// Why no pseudo-terminal can be made here, found out by making one. Empty when one can, and also
// when only something is used up for now (descriptors, memory, pseudo-terminals): who makes one
// then gets that error.
std::string why_no_terminal();

// Waits until the children have ended, kills those that have not after `patience`, which is for all
// of them together, and reaps all. Close their stdin before: a child should end with its input.
void end_children(std::span<const pid_t> children, std::chrono::milliseconds patience);

}  // namespace rps::net
