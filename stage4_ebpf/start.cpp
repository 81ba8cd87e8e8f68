#include "stage4_ebpf/start.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "core/flags/group.hpp"
#include "core/server/unsupported.hpp"
#include "stage4_ebpf/collector.hpp"
#include "stage4_ebpf/observer.hpp"

namespace rps::observe {

void add_flags(CLI::App& app, Mode& mode) {
  flags::Group(app, "Observation")
      .add_choice("--observe", mode,
                  {{"auto", Mode::automatic}, {"require", Mode::require}, {"off", Mode::off}},
                  "Whether the kernel counts the server's calls; auto: if it can; require: if it "
                  "cannot, the server does not start; off: it does not");
}

void start_observer(const server::Context& context, Mode mode) {
  if (mode == Mode::off) {
    context.metrics.add(std::make_shared<Collector>());
    return;
  }
  auto observer = Observer::attach(context.log);
  if (observer) {
    context.log.info("observer on");
    context.metrics.add(std::make_shared<Collector>(std::move(*observer)));
    return;
  }
  const Reason& why = observer.error();
  if (mode == Mode::require) {
    const std::string sentence = "observer: " + why.text;
    if (why.is_found) throw server::Unsupported(sentence);
    throw std::runtime_error(sentence);
  }
  context.log.warn("observer off: {}", why.text);
  context.metrics.add(std::make_shared<Collector>());
}

}  // namespace rps::observe
