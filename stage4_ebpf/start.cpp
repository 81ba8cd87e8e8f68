#include "stage4_ebpf/start.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "stage4_ebpf/collector.hpp"
#include "stage4_ebpf/observer.hpp"

namespace rps::observe {

void add_flags(CLI::App& app, Mode& mode) {
  const auto read = [&mode](const std::string& text) {
    if (text == "auto") return void(mode = Mode::automatic);
    if (text == "require") return void(mode = Mode::require);
    if (text == "off") return void(mode = Mode::off);
    throw CLI::ValidationError("--observe", "must be one of auto|require|off, not '" + text + "'");
  };
  app.add_option_function<std::string>("--observe", read,
                                       "Count in the kernel: when that is possible; or do not "
                                       "start without it; or never")
      ->type_name("auto|require|off")
      ->default_str("auto");
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
  if (mode == Mode::require) throw std::runtime_error("observer: " + observer.error());
  context.log.warn("observer off: {}", observer.error());
  context.metrics.add(std::make_shared<Collector>());
}

}  // namespace rps::observe
