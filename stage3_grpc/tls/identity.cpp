#include "stage3_grpc/tls/identity.hpp"

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include <openssl/x509v3.h>

#include "stage3_grpc/tls/openssl.hpp"

namespace rps::rpc::tls {

namespace {

using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

std::string_view text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::vector<std::string_view> names_of(const GENERAL_NAMES* names, int type) {
  std::vector<std::string_view> found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    int own_type = 0;
    const void* const value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &own_type);
    if (own_type == type) found.push_back(text_of(static_cast<const ASN1_STRING*>(value)));
  }
  return found;
}

std::string common_name_of(const X509& certificate) {
  const X509_NAME* const subject = X509_get_subject_name(&certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return std::string(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
}

std::string name_of(const X509& certificate) {
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  auto ids = names_of(names.get(), GEN_URI);
  std::erase_if(ids, [](std::string_view uri) { return !uri.starts_with("spiffe://"); });
  if (ids.size() > 1) return {};
  if (!ids.empty()) return std::string(ids.front());
  const auto hosts = names_of(names.get(), GEN_DNS);
  return hosts.empty() ? common_name_of(certificate) : std::string(hosts.front());
}

bool is_printable(char letter) {
  return letter >= ' ' && letter <= '~';
}

}  // namespace

std::string identity_of(const X509& certificate) {
  std::string name = name_of(certificate);
  return std::ranges::all_of(name, is_printable) ? name : std::string();
}

}  // namespace rps::rpc::tls
