// @grpc/grpc-js, a gRPC client that we did not write, as several callers of stage 3 over TLS: who is
// let in, what the others are told, how often one may call, and which trace comes back.
//
//   node grpc_js_callers.js ADDRESS PROTO_FOLDER CERTIFICATE_FOLDER
//
// The server trusts ca.crt of the folder, allows a caller one call a second and CALLS_AT_ONCE at
// once, and knows two callers by their tokens: "player-token", who may play, and "patient-token",
// who may do everything.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const {clientFor, detailsOf, grpc} = require('./grpc_js_client.js');

const [address, protoFolder, certificates] = process.argv.slice(2);
const {status} = grpc;
const CALLS_AT_ONCE = 5;  // --rate-burst
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

const pem = (file) => fs.readFileSync(path.join(certificates, file));

// Credentials of who trusts an authority and may show a certificate.
const credentials = ({ca = 'ca', certificate = 'client'} = {}) =>
  grpc.credentials.createSsl(pem(`${ca}.crt`),
    certificate && pem(`${certificate}.key`), certificate && pem(`${certificate}.crt`));

async function withClient(use, given = credentials(), options = {}) {
  const client = clientFor(address, protoFolder, options, given);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

// The response of a unary call and its trailers; or the error with which it ended.
const ask = (client, method, request, headers = {}) => new Promise((resolve, reject) => {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  let response;
  client[method](request, metadata, {deadline: Date.now() + 60_000}, (error, value) => {
    if (error) return reject(error);
    response = value;
  }).on('status', ({code, metadata: trailers}) => {
    if (code === status.OK) resolve({response, trailers});
  });
});

const rock = {player_move: 'ROCK'};
const bearer = (token) => ({authorization: `Bearer ${token}`});

// The details of the error with which a call must end.
async function refusal(code, reason, call) {
  const error = await call.then(() => assert.fail('the call was answered'), (caught) => caught);
  assert.equal(error.code, code, error.message);
  const {details} = detailsOf(error, protoFolder);
  const info = details['google.rpc.ErrorInfo'];
  assert.deepEqual([info.reason, info.domain], [reason, 'rps']);
  return {error, details};
}

test('a certificate of the authority is who calls', () => withClient(async (client) => {
  const {response} = await ask(client, 'Play', {...rock, session_id: 'by-certificate'});
  assert.equal(response.round, 1);
}));

test('a client without a certificate, and one with another authority\'s, get no connection',
  async () => {
    for (const certificate of [null, 'other-client', 'expired']) {
      await withClient(async (client) => {
        await assert.rejects(ask(client, 'Play', rock), ({code}) => code === status.UNAVAILABLE);
      }, credentials({certificate}));
    }
  });

test('a server whose authority the client does not trust gets no call', () =>
  withClient(async (client) => {
    await assert.rejects(ask(client, 'Play', rock), ({code}) => code === status.UNAVAILABLE);
  }, credentials({ca: 'other-ca'})));

test('a token is who calls, before the certificate', () => withClient(async (client) => {
  await ask(client, 'Play', rock, bearer('player-token'));
  await refusal(status.PERMISSION_DENIED, 'PERMISSION_DENIED',
    ask(client, 'Score', {session_id: 'by-certificate'}, bearer('player-token')));
  await refusal(status.UNAUTHENTICATED, 'UNAUTHENTICATED',
    ask(client, 'Play', rock, bearer('nobody-s-token')));
}));

test('a trace comes back with the response', () => withClient(async (client) => {
  const sent = `00-${TRACE_ID}-b7ad6b7169203331-01`;
  const {trailers} = await ask(client, 'Play', rock, {traceparent: sent});
  const [came] = trailers.get('traceparent');
  assert.match(came, new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
  assert.notEqual(came, sent);
}));

// Calls until one is refused: then the caller's rate is used up.
async function useUp(client) {
  const calls = Array.from({length: 10 * CALLS_AT_ONCE},
    () => ask(client, 'Play', rock, bearer('patient-token')));
  const ends = await Promise.allSettled(calls);
  const {reason} = ends.find(({status: end}) => end === 'rejected');
  return Promise.reject(reason);
}

test('a caller above the rate is told when to come again', () => withClient(async (client) => {
  const {error, details} = await refusal(status.RESOURCE_EXHAUSTED, 'OVERLOADED', useUp(client));
  const {seconds, nanos} = details['google.rpc.RetryInfo'].retry_delay;
  const wait = seconds * 1000 + nanos / 1e6;
  assert.ok(wait > 0);
  for (const trailer of ['retry-after-ms', 'grpc-retry-pushback-ms']) {
    assert.deepEqual(error.metadata.get(trailer), [String(wait)]);
  }
}, credentials(), {'grpc.enable_retries': 0}));

// By its service config alone the client would try again within 20 ms, and fail.
test('the retries of grpc-js wait as long as the server says', () => {
  const retryPolicy = {maxAttempts: 3, initialBackoff: '0.01s', maxBackoff: '0.01s',
    backoffMultiplier: 1, retryableStatusCodes: ['RESOURCE_EXHAUSTED']};
  const serviceConfig = JSON.stringify({methodConfig: [{
    name: [{service: 'rps.v1.RockPaperScissorsService'}], retryPolicy}]});
  return withClient(async (client) => {
    await withClient((hasty) => useUp(hasty).catch(() => {}), credentials(),
      {'grpc.enable_retries': 0});
    await ask(client, 'Play', rock, bearer('patient-token'));
  }, credentials(), {'grpc.service_config': serviceConfig});
});
