// Flags of a program, in groups that --help shows under a heading each. Every program of the tree
// adds its flags here, so that a duration, a size, a rate or a share is spelled the same
// everywhere; core/number.hpp defines the spellings.
//
//   Group limits(app, "Limits");
//   limits.add_size("--max-line-bytes", line_bytes_max, {.min = 1, .max = 1 << 30},
//                   "Bytes of one line of JSON");
//   // --max-line-bytes SIZE [1MiB]     Bytes of one line of JSON (1B to 1GiB)
//
// A target's value when its flag is added is the default that --help shows; an empty
// std::optional shows none. A target must outlive the parser: parsing sets it, and values_of()
// reads it. A value that is refused ends parse() with a sentence that names the flag and what is
// allowed.
//
// A server reads its flags again while it runs (core/server/reload.hpp). Those that may change then
// are added through reloadable(), which also says so in --help:
//
//   limits.reloadable().add_count("--max-calls", calls_max, {.max = 1000}, "Calls open at once");
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/number.hpp"
#include "core/strategy.hpp"
#include "core/url.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace rps::flags {

// What a target holds: of a std::optional, what is in it.
template <class Target>
struct Held {
  using Value = Target;
};
template <class Target>
struct Held<std::optional<Target>> {
  using Value = Target;
};
template <class Target>
using ValueOf = typename Held<Target>::Value;

// The words that a flag takes, each with its value.
template <class Value>
using Choices = std::vector<std::pair<std::string_view, Value>>;

// The strategies of the house, by their names: --house.
Choices<Strategy> houses();

class Group {
 public:
  // REQUIRES: `app` outlives the group.
  Group(CLI::App& app, std::string heading);

  // The same group; a flag that is added through it may change while the program runs.
  Group reloadable() const;

  // A whole number. Target: an integer that can hold the range's end, or a std::optional of one.
  template <class Target>
  CLI::Option& add_count(const std::string& flag, Target& target, CountRange range,
                         const std::string& help) {
    return add_value(
        flag, "COUNT", with_range(help, std::to_string(range.min), std::to_string(range.max)),
        target, [range](std::string_view text) { return parse_count(text, range); },
        [](auto value) { return std::to_string(value); });
  }

  // A number that names something, such as a CPU or a seed: as a count, with another word in --help
  // and without a range there.
  template <class Target>
  CLI::Option& add_number(const std::string& flag, Target& target, CountRange range,
                          const std::string& help) {
    return add_value(
        flag, "NUMBER", help, target,
        [range](std::string_view text) { return parse_count(text, range); },
        [](auto value) { return std::to_string(value); });
  }

  // Several whole numbers: --connections 1,8,64.
  template <std::integral Integer>
  CLI::Option& add_counts(const std::string& flag, std::vector<Integer>& targets, CountRange range,
                          const std::string& help) {
    std::string preset;
    for (const Integer value : targets) {
      preset.append(preset.empty() ? "" : ",").append(std::to_string(value));
    }
    const auto read = [&targets, range](const Texts& texts) {
      targets.clear();
      for (const std::string& text : texts) {
        const auto count = parse_count(text, range);
        if (!count) return count.error();
        targets.push_back(static_cast<Integer>(*count));
      }
      return std::string();
    };
    CLI::Option& option =
        add_list(flag, "COUNT,…", preset,
                 with_range(help, std::to_string(range.min), std::to_string(range.max)), read);
    take_several(option);
    return option;
  }

  // Target: a std::chrono::duration. One of integers must be met exactly: 1500us is no number of
  // milliseconds. A number without a unit counts range.bare.
  template <class Target>
  CLI::Option& add_duration(const std::string& flag, Target& target, DurationRange range,
                            const std::string& help) {
    if constexpr (std::integral<typename Target::rep>) range.step = Target(1);
    const auto read = [&target, range](const std::string& text) {
      const auto value = parse_duration(text, range);
      if (!value) return value.error();
      target = std::chrono::duration_cast<Target>(*value);
      return std::string();
    };
    const auto show = [&target] {
      return duration_text(std::chrono::duration_cast<std::chrono::nanoseconds>(target));
    };
    return add_shown(flag, "DURATION",
                     with_range(help, duration_text(range.min), duration_text(range.max)), read,
                     show);
  }

  // Target: an integer that counts bytes.
  template <std::integral Integer>
  CLI::Option& add_size(const std::string& flag, Integer& target, CountRange range,
                        const std::string& help) {
    return add_value(
        flag, "SIZE", with_range(help, size_text(range.min), size_text(range.max)), target,
        [range](std::string_view text) { return parse_size(text, range); },
        [](Integer bytes) { return size_text(static_cast<std::uint64_t>(bytes)); });
  }

  // Calls a second. Target: a number; an integer takes whole rates only.
  template <class Target>
  CLI::Option& add_rate(const std::string& flag, Target& target, RealRange range,
                        const std::string& help) {
    const auto parse = [range](std::string_view text) -> std::expected<double, std::string> {
      const auto rate = parse_rate(text, range);
      if (std::integral<Target> && rate && std::trunc(*rate) != *rate) {
        return std::unexpected("must be a whole number of calls a second, not '" +
                               std::string(text) + "'");
      }
      return rate;
    };
    return add_value(flag, "RATE", with_range(help, rate_text(range.min), rate_text(range.max)),
                     target, parse,
                     [](Target rate) { return rate_text(static_cast<double>(rate)); });
  }

  // A part of a whole: 0.7 or 70%. Target: a double, or a std::optional of one.
  template <class Target>
  CLI::Option& add_share(const std::string& flag, Target& target, RealRange range,
                         const std::string& help) {
    return add_value(
        flag, "SHARE", with_range(help, share_text(range.min), share_text(range.max)), target,
        [range](std::string_view text) { return parse_share(text, range); }, share_text);
  }

  // One of several words.
  template <class Target>
  CLI::Option& add_choice(const std::string& flag, Target& target,
                          const Choices<ValueOf<Target>>& choices, const std::string& help) {
    std::string names;
    for (const auto& [name, value] : choices) names.append(names.empty() ? "" : "|").append(name);
    const auto show = [&target, choices] {
      const auto is_set = [&target](const auto& choice) { return target == choice.second; };
      const auto found = std::ranges::find_if(choices, is_set);
      return found != choices.end() ? std::string(found->first) : std::string();
    };
    const auto read = [&target, choices, names](const std::string& text) {
      for (const auto& [name, value] : choices) {
        if (name != text) continue;
        target = value;
        return std::string();
      }
      return "must be one of " + names + ", not '" + text + "'";
    };
    return add_shown(flag, names, help, read, show);
  }

  CLI::Option& add_address(const std::string& flag, HostPort& target, const std::string& help);
  CLI::Option& add_address(const std::string& flag, std::optional<HostPort>& target,
                           const std::string& help);

  // Any text; --help calls it `value`, as in "FILE".
  CLI::Option& add_text(const std::string& flag, std::string& target, const std::string& value,
                        const std::string& help);

  // Any texts; the flag may be given several times.
  CLI::Option& add_texts(const std::string& flag, std::vector<std::string>& targets,
                         const std::string& value, const std::string& help);

  // A flag without a value: it is given or not.
  CLI::Option& add_switch(const std::string& flag, bool& target, const std::string& help);

  // For a kind of value that the functions above do not have. `read` sets the value from the text
  // and returns what is wrong with it, without the name of the flag; empty when nothing is.
  using Read = std::function<std::string(const std::string& text)>;
  CLI::Option& add(const std::string& flag, const std::string& value, const std::string& preset,
                   const std::string& help, Read read);

 private:
  using Texts = std::vector<std::string>;
  using ReadList = std::function<std::string(const Texts& texts)>;
  using Show = std::function<std::string()>;

  // "Calls of one batch (1 to 100)".
  static std::string with_range(const std::string& help, const std::string& min,
                                const std::string& max);
  static void take_several(CLI::Option& option);

  std::string described(const std::string& help) const;
  CLI::Option& add_shown(const std::string& flag, const std::string& value, const std::string& help,
                         Read read, const Show& show);
  CLI::Option& add_list(const std::string& flag, const std::string& value,
                        const std::string& preset, const std::string& help, ReadList read);

  template <class Target, class Parse, class Show>
  CLI::Option& add_value(const std::string& flag, const std::string& value, const std::string& help,
                         Target& target, Parse parse, Show show) {
    const auto read = [&target, parse](const std::string& text) {
      const auto parsed = parse(text);
      if (!parsed) return parsed.error();
      target = static_cast<ValueOf<Target>>(*parsed);
      return std::string();
    };
    return add_shown(flag, value, help, read, [&target, show]() -> std::string {
      if constexpr (std::same_as<Target, ValueOf<Target>>) {
        return show(target);
      } else {
        return target ? show(*target) : "";
      }
    });
  }

  CLI::App& app_;
  std::string heading_;
  bool is_reloadable_ = false;
};

// What a flag is set to.
struct FlagValue {
  std::string name;   // "--drain"
  std::string value;  // As --help shows a default: "5s". Empty: none.
  bool is_reloadable = false;
};

// All flags of `app`, in the order in which they were added. Two values of a flag that mean the
// same are spelled the same, unless the flag was added by Group::add().
std::vector<FlagValue> values_of(CLI::App& app);

// Sets the targets from the arguments. Returns the first mistake in them, in one sentence that
// names the flag; nothing when there is none. Throws CLI::Success after --help or --version.
std::optional<std::string> read(CLI::App& app, int argc, const char* const* argv);

// As read(), for the start of a program. Nothing when the program should go on; otherwise the code
// it should exit with: 0 after --help or --version, 2 after a mistake, told on stderr in one line
// that begins with the name of the program.
std::optional<int> parse(CLI::App& app, int argc, const char* const* argv,
                         const std::string& program);

}  // namespace rps::flags
