#include "core/flags/group.hpp"

#include <cstdio>
#include <span>

#include <CLI/CLI.hpp>

#include "core/utf8.hpp"

namespace rps::flags {

namespace {

// Of a flag with its kind and default, in --help.
constexpr std::size_t help_column_width = 44;

constexpr const char* spellings =
    "DURATION: 500ms, 10s, 2m, 1h   SIZE: 512, 64KiB, 1MiB   RATE: 250, 2k, 1.5M   SHARE: 0.7, 70%";

// What --help shows behind a flag's name: "DURATION [5s]".
std::string with_preset(const std::string& value, const std::string& preset) {
  return preset.empty() ? value : value + " [" + preset + "]";
}

// The end of a flag's help by which a flag that may change is known.
constexpr std::string_view reloadable_mark = "; reloadable";

template <class Target>
Group::Read read_address(Target& target) {
  return [&target](const std::string& text) {
    const auto address = parse_host_port(text);
    if (!address) return address.error();
    target = *address;
    return std::string();
  };
}

// "a, b, c".
std::string commands_of(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands({})) {
    names.append(names.empty() ? "" : ", ").append(command->get_name());
  }
  return names;
}

// One sentence that names the flag. CLI11 gives some mistakes several lines or too few words.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  std::string what = error.what();
  const std::vector<std::string> unknown = app.remaining(true);
  const bool is_missing = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (const std::string commands = commands_of(app);
      is_missing && !commands.empty() && app.get_subcommands().empty()) {
    const bool has_name = !unknown.empty() && !unknown.front().starts_with('-');
    return (has_name ? "there is no command '" + unknown.front() + "'" : "a command is missing") +
           "; there are " + commands;
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) && !unknown.empty()) {
    return "not expected: " + CLI::detail::join(unknown, " ") + "; see --help";
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error)) {
    return what.substr(0, what.find(':')) + ": takes one value, once";
  }
  if (dynamic_cast<const CLI::ConfigError*>(&error) ||
      dynamic_cast<const CLI::FileError*>(&error)) {
    return "--config: " + what;
  }
  return what;
}

bool has_option(const CLI::App& app, const std::string& name) {
  if (app.get_option_no_throw(name)) return true;
  return std::ranges::any_of(app.get_subcommands({}), [&name](const CLI::App* command) {
    return command->get_option_no_throw(name) != nullptr;
  });
}

// Of "--drain=" CLI11 takes the next argument as the value.
void refuse_empty_values(const CLI::App& app, std::span<const char* const> arguments) {
  for (const std::string_view argument : arguments) {
    if (!argument.starts_with("--") || argument.find('=') + 1 != argument.size()) continue;
    const std::string name(argument.substr(0, argument.size() - 1));
    if (has_option(app, name)) throw CLI::ValidationError(name, "needs a value behind the '='");
  }
}

}  // namespace

Choices<Strategy> houses() {
  Choices<Strategy> choices;
  for (const Strategy strategy : all_strategies) {
    choices.emplace_back(to_string(strategy), strategy);
  }
  return choices;
}

Group::Group(CLI::App& app, std::string heading) : app_(app), heading_(std::move(heading)) {
  app.get_formatter()->column_width(help_column_width);
  app.footer(spellings);
}

Group Group::reloadable() const {
  Group group = *this;
  group.is_reloadable_ = true;
  return group;
}

std::string Group::with_range(const std::string& help, const std::string& min,
                              const std::string& max) {
  return help + " (" + min + " to " + max + ")";
}

void Group::take_several(CLI::Option& option) {
  option.expected(CLI::detail::expected_max_vector_size)->delimiter(',');
}

CLI::Option& Group::add_address(const std::string& flag, HostPort& target,
                                const std::string& help) {
  return add_shown(flag, "HOST:PORT", help, read_address(target),
                   [&target] { return to_string(target); });
}

CLI::Option& Group::add_address(const std::string& flag, std::optional<HostPort>& target,
                                const std::string& help) {
  return add_shown(flag, "HOST:PORT", help, read_address(target),
                   [&target] { return target ? to_string(*target) : ""; });
}

CLI::Option& Group::add_text(const std::string& flag, std::string& target, const std::string& value,
                             const std::string& help) {
  return *app_.add_option(flag, target, described(help))
              ->type_name(with_preset(value, target))
              ->group(heading_);
}

CLI::Option& Group::add_texts(const std::string& flag, std::vector<std::string>& targets,
                              const std::string& value, const std::string& help) {
  return *app_.add_option(flag, targets, described(help))
              ->type_name(with_preset(value, CLI::detail::join(targets, " ")))
              ->group(heading_);
}

CLI::Option& Group::add_switch(const std::string& flag, bool& target, const std::string& help) {
  return *app_.add_flag(flag, target, described(help))
              ->group(heading_)
              ->default_function([&target] { return target ? "true" : "false"; });
}

CLI::Option& Group::add(const std::string& flag, const std::string& value,
                        const std::string& preset, const std::string& help, Read read) {
  return add_list(flag, value, preset, help,
                  [read = std::move(read)](const Texts& texts) { return read(texts.front()); });
}

CLI::Option& Group::add_list(const std::string& flag, const std::string& value,
                             const std::string& preset, const std::string& help, ReadList read) {
  const auto take = [flag, read = std::move(read)](const Texts& texts) {
    const std::string wrong = read(texts);
    if (!wrong.empty()) throw CLI::ValidationError(flag, wrong);
    return true;
  };
  CLI::Option& option = *app_.add_option(flag, take, described(help));
  option.type_name(with_preset(value, preset))->group(heading_);
  option.default_function([&option, preset] {
    return option.empty() ? preset : CLI::detail::join(option.results(), ",");
  });
  return option;
}

CLI::Option& Group::add_shown(const std::string& flag, const std::string& value,
                              const std::string& help, Read read, const Show& show) {
  CLI::Option& option = add(flag, value, show(), help, std::move(read));
  option.default_function(show);
  return option;
}

std::string Group::described(const std::string& help) const {
  return is_reloadable_ ? help + std::string(reloadable_mark) : help;
}

std::vector<FlagValue> values_of(CLI::App& app) {
  std::vector<FlagValue> values;
  for (CLI::Option* const option : app.get_options()) {
    option->capture_default_str();  // Of the target as it is now.
    values.push_back({.name = option->get_name(),
                      .value = option->get_default_str(),
                      .is_reloadable = option->get_description().ends_with(reloadable_mark)});
  }
  return values;
}

std::optional<std::string> read(CLI::App& app, int argc, const char* const* argv) {
  try {
    refuse_empty_values(app, std::span(argv, static_cast<std::size_t>(argc)));
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::Success&) {
    throw;
  } catch (const CLI::ParseError& error) {
    return explain(app, error);
  }
}

std::optional<int> parse(CLI::App& app, int argc, const char* const* argv,
                         const std::string& program) {
  try {
    const auto mistake = read(app, argc, argv);
    if (!mistake) return std::nullopt;
    std::fprintf(stderr, "%s: %s\n", program.c_str(), printable(*mistake).c_str());
    return 2;
  } catch (const CLI::Success& request) {
    return app.exit(request);  // Prints the help or the version.
  }
}

}  // namespace rps::flags
