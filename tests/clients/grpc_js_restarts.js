// Calls stage 3 without pause by @grpc/grpc-js, which retries by its service config, while the
// server is restarted. To each line on stdin it says "over" when the calls that were open then have
// ended. At the end of stdin it stops and prints as JSON how its calls ended.
//
//   node grpc_js_restarts.js ADDRESS PROTO_FOLDER CALLS_A_SECOND
'use strict';

const readline = require('node:readline');

const {clientFor, grpc} = require('./grpc_js_client.js');

const [address, protoFolder, callsASecond] = process.argv.slice(2);
const PERIOD = 20;  // Milliseconds between two bursts of calls.

// What docs/wire_grpc.md tells a client to set. grpc-js takes no notice of waitForReady in a service
// config, so each call asks for it.
const serviceConfig = {
  methodConfig: [{
    name: [{service: 'rps.v1.RockPaperScissorsService'}],
    retryPolicy: {
      maxAttempts: 5,
      initialBackoff: '0.1s',
      maxBackoff: '1s',
      backoffMultiplier: 2,
      retryableStatusCodes: ['UNAVAILABLE'],
    },
  }],
};

const waiting = () => new grpc.Metadata({waitForReady: true});

const client = clientFor(address, protoFolder, {
  'grpc.service_config': JSON.stringify(serviceConfig),
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
});

const ends = {};  // How many calls ended with a status, by its name and text.
const open = new Set();  // Promises.

const call = () => new Promise((resolve) => {
  const patience = {deadline: Date.now() + 60_000};
  client.Play({player_move: 'ROCK'}, waiting(), patience, (error) => {
    const end = error ? `${grpc.status[error.code]}: ${error.details}` : 'OK';
    ends[end] = (ends[end] ?? 0) + 1;
    resolve();
  });
});

const bursts = setInterval(() => {
  for (let sent = 0; sent < callsASecond * PERIOD / 1000; ++sent) {
    const one = call();
    open.add(one);
    one.then(() => open.delete(one));
  }
}, PERIOD);

const lines = readline.createInterface({input: process.stdin});

lines.on('line', async () => {
  await Promise.all(open);
  console.log('over');
});

lines.on('close', async () => {
  clearInterval(bursts);
  await Promise.all(open);
  client.close();
  console.log(JSON.stringify(ends));
});
