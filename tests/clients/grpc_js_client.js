// The service of stage 3 as @grpc/grpc-js sees it, from the proto file itself.
'use strict';

const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const OPTIONS = {keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true};

// What a proto file and those that it names define, by full names. `protoFolder` is the folder from
// which they name each other.
const definitionsOf = (protoFolder, file) =>
  protoLoader.loadSync(file, {includeDirs: [protoFolder], ...OPTIONS});

// A client of `address` ("host:port"). Each has connections of its own.
function clientFor(address, protoFolder, options = {},
  credentials = grpc.credentials.createInsecure()) {
  const definitions = definitionsOf(protoFolder, 'rps/v1/rps.proto');
  const {RockPaperScissorsService} = grpc.loadPackageDefinition(definitions).rps.v1;
  return new RockPaperScissorsService(address, credentials,
    {'grpc.use_local_subchannel_pool': 1, ...options});
}

// The google.rpc.Status that came with an error: its details by the names of their messages.
function detailsOf(error, protoFolder) {
  const definitions = {
    ...definitionsOf(protoFolder, 'google/rpc/status.proto'),
    ...definitionsOf(protoFolder, 'google/rpc/error_details.proto'),
  };
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const {code, message, details} = definitions['google.rpc.Status'].deserialize(bytes);
  const named = details.map(({type_url, value}) => {
    const name = type_url.split('/').pop();
    return [name, definitions[name].deserialize(value)];
  });
  return {code, message, details: Object.fromEntries(named)};
}

module.exports = {clientFor, detailsOf, grpc};
