#include "stage3_grpc/reflection.hpp"

#include <array>
#include <cstddef>
#include <mutex>
#include <unordered_set>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/server_builder.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/contract/status.hpp"
#include "stage3_grpc/limits.hpp"
#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

namespace {

namespace protobuf = google::protobuf;

using V1 = ::grpc::reflection::v1::ServerReflection;
using V1Alpha = ::grpc::reflection::v1alpha::ServerReflection;
using Request = ::grpc::reflection::v1::ServerReflectionRequest;
using Response = ::grpc::reflection::v1::ServerReflectionResponse;

constexpr std::array services{::grpc::health::v1::Health::service_full_name(),
                              V1::service_full_name(), V1Alpha::service_full_name(),
                              v1::RockPaperScissorsService::service_full_name()};

const protobuf::DescriptorPool& descriptors() {
  return *protobuf::DescriptorPool::generated_pool();
}

void refuse(Response& response, grpc::StatusCode code, const char* reason) {
  response.mutable_error_response()->set_error_code(code);
  response.mutable_error_response()->set_error_message(reason);
}

void add_services(Response& response) {
  for (const char* const name : services) {
    response.mutable_list_services_response()->add_service()->set_name(name);
  }
}

void add_files(const protobuf::FileDescriptor* file, Response& response) {
  if (!file) return refuse(response, grpc::NOT_FOUND, "no file has that name or content");
  std::vector files{file};
  std::unordered_set seen{file};
  for (std::size_t i = 0; i < files.size(); ++i) {
    protobuf::FileDescriptorProto proto;
    files[i]->CopyTo(&proto);
    *response.mutable_file_descriptor_response()->add_file_descriptor_proto() =
        proto.SerializeAsString();
    for (int k = 0; k < files[i]->dependency_count(); ++k) {
      const protobuf::FileDescriptor* const needed = files[i]->dependency(k);
      if (seen.insert(needed).second) files.push_back(needed);
    }
  }
}

const protobuf::FileDescriptor* file_of_extension(const std::string& type, int number) {
  const protobuf::Descriptor* const extended = descriptors().FindMessageTypeByName(type);
  if (!extended) return nullptr;
  const auto* const extension = descriptors().FindExtensionByNumber(extended, number);
  return extension ? extension->file() : nullptr;
}

void add_extension_numbers(const std::string& type, Response& response) {
  const protobuf::Descriptor* const extended = descriptors().FindMessageTypeByName(type);
  if (!extended) return refuse(response, grpc::NOT_FOUND, "no message has that name");
  std::vector<const protobuf::FieldDescriptor*> extensions;
  descriptors().FindAllExtensions(extended, &extensions);
  auto& numbers = *response.mutable_all_extension_numbers_response();
  numbers.set_base_type_name(type);
  for (const auto* const extension : extensions) numbers.add_extension_number(extension->number());
}

// Reads a request when the answer to the one before is with gRPC.
class ReflectionStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                               public OpenStream {
 public:
  explicit ReflectionStream(OpenCalls& open) : open_(open) {
    open_.add(*this);
    const std::scoped_lock lock(mutex_);
    if (!finished_) StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    const std::scoped_lock lock(mutex_);
    if (finished_) return;
    if (!ok) return finish(grpc::Status::OK);
    const auto request = parse<Request>(request_);
    if (!request) return finish(to_status(Error::malformed_request));
    response_ = to_bytes(reflect(*request));
    is_answering_ = true;
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    const std::scoped_lock lock(mutex_);
    is_answering_ = false;
    if (!ok) return finish(grpc::Status::OK);  // The peer is gone; no status reaches it.
    if (is_draining_) return finish(to_status(Error::unavailable));
    StartRead(&request_);
  }

  void OnDone() override {
    open_.remove(*this);
    delete this;
  }

  void drain() override {
    const std::scoped_lock lock(mutex_);
    is_draining_ = true;
    if (!is_answering_ && !finished_) finish(to_status(Error::unavailable));
  }

 private:
  // REQUIRES: the mutex is held. A read that is still open then ends without a request.
  void finish(const grpc::Status& status) {
    finished_ = true;
    Finish(status);
  }

  OpenCalls& open_;
  const OpenCalls::Call call_{open_};
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  std::mutex mutex_;  // Guards what follows.
  bool is_answering_ = false;
  bool is_draining_ = false;
  bool finished_ = false;
};

// `Version`: V1 or V1Alpha. Methods take bytes for the reason that dispatcher.hpp gives.
template <class Version>
class VersionService final : public Version::template WithRawCallbackMethod_ServerReflectionInfo<
                                 typename Version::Service> {
 public:
  explicit VersionService(OpenCalls& open) : open_(open) {}

 private:
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ServerReflectionInfo(
      grpc::CallbackServerContext*) override {
    return new ReflectionStream(open_);
  }

  OpenCalls& open_;
};

// The name that the request asks for; empty when it asks for none. Protobuf takes a second to find
// out that it has no type of 64,000 dots.
std::string_view name_in(const Request& request) {
  switch (request.message_request_case()) {
    case Request::kFileByFilename: return request.file_by_filename();
    case Request::kFileContainingSymbol: return request.file_containing_symbol();
    case Request::kFileContainingExtension:
      return request.file_containing_extension().containing_type();
    case Request::kAllExtensionNumbersOfType: return request.all_extension_numbers_of_type();
    case Request::kListServices:
    case Request::MESSAGE_REQUEST_NOT_SET: break;
  }
  return {};
}

}  // namespace

Response reflect(const Request& request) {
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  if (name_in(request).size() > limits::reflected_name_bytes_max) {
    refuse(response, grpc::NOT_FOUND, "no name is that long");
    return response;
  }
  switch (request.message_request_case()) {
    case Request::kListServices: add_services(response); break;
    case Request::kFileByFilename:
      add_files(descriptors().FindFileByName(request.file_by_filename()), response);
      break;
    case Request::kFileContainingSymbol:
      add_files(descriptors().FindFileContainingSymbol(request.file_containing_symbol()), response);
      break;
    case Request::kFileContainingExtension:
      add_files(file_of_extension(request.file_containing_extension().containing_type(),
                                  request.file_containing_extension().extension_number()),
                response);
      break;
    case Request::kAllExtensionNumbersOfType:
      add_extension_numbers(request.all_extension_numbers_of_type(), response);
      break;
    case Request::MESSAGE_REQUEST_NOT_SET:
      refuse(response, grpc::INVALID_ARGUMENT, "the request asks for nothing");
      break;
  }
  return response;
}

Reflection::Reflection(boundary::CallPool& pool)
    : streams_(pool),
      v1_(std::make_unique<VersionService<V1>>(streams_)),
      v1alpha_(std::make_unique<VersionService<V1Alpha>>(streams_)) {}

Reflection::~Reflection() = default;

void Reflection::add_to(grpc::ServerBuilder& builder) {
  builder.RegisterService(v1_.get());
  builder.RegisterService(v1alpha_.get());
}

}  // namespace rps::rpc
