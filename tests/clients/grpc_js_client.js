// The service of stage 3 as @grpc/grpc-js sees it, from the proto file itself.
'use strict';

const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

// A client of `address` ("host:port"). Each has connections of its own. `protoFolder` is the folder
// from which the proto files name each other.
function clientFor(address, protoFolder, options = {}) {
  const definition = protoLoader.loadSync('rps/v1/rps.proto', {
    includeDirs: [protoFolder], keepCase: true, longs: Number, enums: String, defaults: true,
    oneofs: true});
  const {RockPaperScissorsService} = grpc.loadPackageDefinition(definition).rps.v1;
  return new RockPaperScissorsService(address, grpc.credentials.createInsecure(),
    {'grpc.use_local_subchannel_pool': 1, ...options});
}

module.exports = {clientFor, grpc};
