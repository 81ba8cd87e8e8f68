// @grpc/grpc-js, a gRPC client that we did not write, watches a duel on a server of stage 3 while
// that begins to drain.
//
//   node grpc_js_drain.js ADDRESS PROTO_FOLDER PID_OF_THE_SERVER
'use strict';

const assert = require('node:assert/strict');

const {clientFor, grpc} = require('./grpc_js_client.js');

const [address, protoFolder, pid] = process.argv.slice(2);
const client = clientFor(address, protoFolder);
const patiently = {deadline: Date.now() + 60_000};
const game_id = 'drained';

const statusOf = (stream) => new Promise((resolve) => {
  stream.on('error', () => {});  // The status says the same.
  stream.on('status', resolve);
});

const player = client.Duel(new grpc.Metadata(), patiently);
const playerEnd = statusOf(player);
player.write({join: {game_id, player_id: 'one'}});
player.once('data', async () => {
  const spectator = client.Watch({game_id}, new grpc.Metadata(), patiently);
  const spectatorEnd = statusOf(spectator);
  spectator.once('data', () => process.kill(Number(pid), 'SIGTERM'));
  for (const end of [await spectatorEnd, await playerEnd]) {
    assert.equal(end.code, grpc.status.UNAVAILABLE, end.details);
    assert.ok(end.details.startsWith('unavailable: '), end.details);
  }
  client.close();
});
