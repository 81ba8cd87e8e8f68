#include "stage3_grpc/reflection.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/running_server.hpp"

using namespace rps;
using namespace rps::rpc;
using google::protobuf::FileDescriptorProto;
using V1 = ::grpc::reflection::v1::ServerReflection;
using V1Alpha = ::grpc::reflection::v1alpha::ServerReflection;
using Request = ::grpc::reflection::v1::ServerReflectionRequest;
using Response = ::grpc::reflection::v1::ServerReflectionResponse;

namespace {

const std::string game_file = "rps/v1/rps.proto";

Request for_symbol(const std::string& symbol) {
  Request request;
  request.set_file_containing_symbol(symbol);
  return request;
}

Request for_file(const std::string& name) {
  Request request;
  request.set_file_by_filename(name);
  return request;
}

Request for_extension(const std::string& type, int number) {
  Request request;
  request.mutable_file_containing_extension()->set_containing_type(type);
  request.mutable_file_containing_extension()->set_extension_number(number);
  return request;
}

Request for_extensions_of(const std::string& type) {
  Request request;
  request.set_all_extension_numbers_of_type(type);
  return request;
}

std::vector<FileDescriptorProto> files_of(const Response& response) {
  std::vector<FileDescriptorProto> files;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    REQUIRE(files.emplace_back().ParseFromString(bytes));
  }
  return files;
}

std::vector<std::string> names_of(const Response& response) {
  std::vector<std::string> names;
  for (const FileDescriptorProto& file : files_of(response)) names.push_back(file.name());
  return names;
}

}  // namespace

TEST_CASE("The services are listed, and the file of each can be had") {
  Request request;
  request.set_host("somewhere");
  request.set_list_services("");
  const Response response = reflect(request);
  CHECK(response.valid_host() == "somewhere");
  CHECK(response.original_request().SerializeAsString() == request.SerializeAsString());
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) {
    names.push_back(service.name());
    CHECK_FALSE(files_of(reflect(for_symbol(service.name()))).empty());
  }
  CHECK(names == std::vector<std::string>{"grpc.health.v1.Health",
                                          "grpc.reflection.v1.ServerReflection",
                                          "grpc.reflection.v1alpha.ServerReflection",
                                          "rps.v1.RockPaperScissorsService"});
}

TEST_CASE("A file is found by its name and by what stands in it") {
  CHECK(names_of(reflect(for_file(game_file))).front() == game_file);
  for (const std::string symbol :
       {"rps.v1.RockPaperScissorsService", "rps.v1.RockPaperScissorsService.Play",
        "rps.v1.PlayRequest", "rps.v1.PlayRequest.player_move", "rps.v1.Move", "rps.v1.ROCK"}) {
    CHECK(names_of(reflect(for_symbol(symbol))).front() == game_file);
  }
}

// A client builds its own pool from an answer, and can do so only if no import is missing.
TEST_CASE("A file comes with all that it imports, each once") {
  for (const std::string& name : {game_file, std::string("grpc/health/v1/health.proto"),
                                  std::string("google/protobuf/descriptor.proto")}) {
    std::vector<FileDescriptorProto> files = files_of(reflect(for_file(name)));
    REQUIRE_FALSE(files.empty());
    CHECK(files.front().name() == name);
    google::protobuf::SimpleDescriptorDatabase database;
    for (const FileDescriptorProto& file : files) REQUIRE(database.Add(file));  // Once.
    const google::protobuf::DescriptorPool pool(&database);
    CHECK(pool.FindFileByName(name) != nullptr);
  }
}

TEST_CASE("What is not there is answered with an error") {
  for (const Request& request :
       {for_file("rps/v1/chess.proto"), for_symbol("rps.v1.Chess"), for_symbol(""),
        for_extension("rps.v1.Chess", 1), for_extension("rps.v1.PlayRequest", 1),
        for_extensions_of("rps.v1.Chess")}) {
    const Response response = reflect(request);
    CHECK(response.error_response().error_code() == grpc::NOT_FOUND);
    CHECK_FALSE(response.error_response().error_message().empty());
    CHECK(response.original_request().SerializeAsString() == request.SerializeAsString());
  }
  const std::string long_name(513, '.');
  for (const Request& request : {for_file(long_name), for_symbol(long_name),
                                 for_extension(long_name, 1), for_extensions_of(long_name)}) {
    CHECK(reflect(request).error_response().error_message() == "no name is that long");
  }
  CHECK(reflect({}).error_response().error_code() == grpc::INVALID_ARGUMENT);
  Request nothing;
  nothing.set_host(long_name);
  CHECK(reflect(nothing).error_response().error_code() == grpc::INVALID_ARGUMENT);
}

TEST_CASE("Extensions of a message are numbered, and their files found") {
  const Response none = reflect(for_extensions_of("rps.v1.PlayRequest"));
  CHECK(none.all_extension_numbers_response().base_type_name() == "rps.v1.PlayRequest");
  CHECK(none.all_extension_numbers_response().extension_number().empty());
  const std::string type = "google.protobuf.MethodOptions";
  const Response response = reflect(for_extensions_of(type));
  const auto& numbers = response.all_extension_numbers_response().extension_number();
  constexpr int http = 72'295'728;  // google.api.http, which the game's methods have.
  CHECK(std::ranges::count(numbers, http) == 1);
  CHECK(names_of(reflect(for_extension(type, http))).front() == "google/api/annotations.proto");
}

namespace {

template <class Version, class VersionRequest, class VersionResponse>
void check_stream() {
  RunningServer at;
  const auto stub = Version::NewStub(at.channel);
  grpc::ClientContext context;
  const auto stream = stub->ServerReflectionInfo(&context);
  VersionRequest request;
  VersionResponse response;
  for (int i = 0; i < 3; ++i) {
    request.set_list_services("");
    REQUIRE(stream->Write(request));
    REQUIRE(stream->Read(&response));
    CHECK(response.list_services_response().service_size() == 4);
    request.set_file_containing_symbol("rps.v1.PlayRequest");
    REQUIRE(stream->Write(request));
    REQUIRE(stream->Read(&response));
    CHECK(response.file_descriptor_response().file_descriptor_proto_size() > 0);
  }
  stream->WritesDone();
  CHECK_FALSE(stream->Read(&response));
  CHECK(stream->Finish().ok());

  grpc::ClientContext held_context;
  const auto held = stub->ServerReflectionInfo(&held_context);
  REQUIRE(held->Write(request));
  REQUIRE(held->Read(&response));
  at.server->stop_accepting();
  CHECK_FALSE(held->Read(&response));
  CHECK(held->Finish().error_code() == grpc::UNAVAILABLE);
}

}  // namespace

TEST_CASE("Both versions are served, and their streams end when the server drains") {
  check_stream<V1, Request, Response>();
  check_stream<V1Alpha, ::grpc::reflection::v1alpha::ServerReflectionRequest,
               ::grpc::reflection::v1alpha::ServerReflectionResponse>();
}

TEST_CASE("Reflection can be switched off") {
  RunningServer at({.has_reflection = false});
  const auto stub = V1::NewStub(at.channel);
  grpc::ClientContext context;
  const auto stream = stub->ServerReflectionInfo(&context);
  Response response;
  CHECK_FALSE(stream->Read(&response));
  CHECK(stream->Finish().error_code() == grpc::UNIMPLEMENTED);
}
