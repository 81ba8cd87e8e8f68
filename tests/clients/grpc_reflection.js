// grpc-js-reflection-client learns the services from a running server, under both versions of the
// protocol, and calls one with nothing but what it has learnt.
//
//   node grpc_reflection.js HOST:PORT
"use strict";

const assert = require("node:assert/strict");
const grpc = require("@grpc/grpc-js");
const { GrpcReflection } = require("grpc-js-reflection-client");

const SERVICE = "rps.v1.RockPaperScissorsService";
const [address] = process.argv.slice(2);

async function learnAndPlay(version) {
  const reflection = new GrpcReflection(address, grpc.credentials.createInsecure(), {}, version);
  assert.deepEqual((await reflection.listServices()).sort(), [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    SERVICE,
  ]);
  const methods = (await reflection.listMethods(SERVICE)).map((method) => method.name);
  for (const method of ["Play", "Score", "PlayMany", "Watch", "Rally", "Duel"]) {
    assert.ok(methods.includes(method), method);
  }
  const file = await reflection.getDescriptorByFileName("grpc/health/v1/health.proto");
  assert.ok(file.getPackageObject().grpc.health.v1.Health);
  await assert.rejects(reflection.getDescriptorBySymbol("rps.v1.Chess"));
  const extensions = await reflection.getAllExtensionNumbersOfType("rps.v1.PlayRequest");
  assert.equal(extensions.base_type_name, "rps.v1.PlayRequest");
  assert.deepEqual([...extensions.extension_number], []);

  const learnt = (await reflection.getDescriptorBySymbol(SERVICE)).getPackageObject();
  const client = new learnt.rps.v1.RockPaperScissorsService(
    address, grpc.credentials.createInsecure());
  const reply = await new Promise((resolve, reject) => {
    client.Play({ player_move: "ROCK" }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
  assert.equal(typeof reply.reason, "string");
  assert.notEqual(reply.reason, "");
  client.close();
}

async function main() {
  await learnAndPlay(undefined);  // v1alpha.
  await learnAndPlay("v1");
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
