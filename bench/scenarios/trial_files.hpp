// The files that the server and the client of one trial are given.
#pragma once

#include <filesystem>

#include "bench/model/target.hpp"

namespace rps::scenarios {

// A folder that only this user may read, and that is gone with the object. In flags and URLs its
// path takes the place of {files}. It holds
//
//   ca.crt, server.crt, server.key, …   as stage3_grpc/tls/make_certificates.sh says
//   callers                             for --auth-tokens: a caller with the token "rps-bench", who
//                                       may do everything
class TrialFiles {
 public:
  // Makes them in `scratch`. Throws server::Unsupported when openssl is not installed, which makes
  // the certificates, and another std::exception when it fails otherwise.
  explicit TrialFiles(const std::filesystem::path& scratch);
  ~TrialFiles();
  TrialFiles(const TrialFiles&) = delete;
  TrialFiles& operator=(const TrialFiles&) = delete;

  // Whether a flag or the URL of `target` has a place for the path.
  static bool are_for(const model::Target& target);

  // `target` with the path.
  model::Target put_into(model::Target target) const;

 private:
  void remove() noexcept;

  std::filesystem::path folder_;
};

}  // namespace rps::scenarios
