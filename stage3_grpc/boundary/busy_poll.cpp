#include "stage3_grpc/boundary/busy_poll.hpp"

namespace rps::rpc::boundary {

BusyPoll& busy_poll_of_this_thread() {
  thread_local BusyPoll busy_poll{Clock::duration::zero()};
  return busy_poll;
}

void set_busy_poll_of_this_thread(Clock::duration limit) {
  busy_poll_of_this_thread() = BusyPoll(limit);
}

}  // namespace rps::rpc::boundary
