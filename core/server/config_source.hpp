// The text that --config names, in a file or in a directory service, while a server runs.
#pragma once

#include <expected>
#include <string>

#include "core/clock.hpp"

namespace rps::server {

// All functions are called by one thread.
class ConfigSource {
 public:
  // The error is to be put behind the name of the source: "cannot be read: …".
  using Text = std::expected<std::string, std::string>;

  virtual ~ConfigSource() = default;

  // As it was taken last.
  virtual const Text& text() const = 0;

  // Takes another text if there is one, and returns whether it has. Waits for nothing. To be called
  // about once a second.
  virtual bool poll(Clock::time_point now) = 0;

  // The same for an operator who asks: true also when the last text was rejected.
  virtual bool reread() = 0;

  // Says that the text cannot be used.
  virtual void reject() = 0;

  // False while the source does not answer, so that its text may be another.
  virtual bool is_current() const = 0;
};

}  // namespace rps::server
