// @grpc/grpc-js, a gRPC client that we did not write, against stage 3: every mode of call, to its
// end, past its deadline and cancelled.
//
//   node grpc_js.js ADDRESS PROTO_FOLDER
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');

const {clientFor, detailsOf, grpc} = require('./grpc_js_client.js');

const [address, protoFolder] = process.argv.slice(2);
const {status} = grpc;
const BEATS = {ROCK: 'SCISSORS', PAPER: 'ROCK', SCISSORS: 'PAPER'};
const MOVES = Object.keys(BEATS);
const REQUEST_BYTES_MAX = 64 * 1024;  // --max-message-bytes
const STREAMS_MAX = 100;  // --max-streams

const connect = (options) => clientFor(address, protoFolder, options);
const client = connect();

test.after(() => client.close());

const resultOf = (mine, theirs) => {
  if (mine === theirs) return 'DRAW';
  return BEATS[mine] === theirs ? 'WIN' : 'LOSE';
};

function checkRound(move, response) {
  assert.ok(MOVES.includes(response.opponent_move), JSON.stringify(response));
  assert.equal(response.result, resultOf(move, response.opponent_move));
  assert.notEqual(response.reason, '');
}

const inMilliseconds = (milliseconds) => ({deadline: Date.now() + milliseconds});
const patiently = () => inMilliseconds(60_000);  // Nothing hangs for ever when a test fails.

const moment = () => new Promise((resolve) => setTimeout(resolve, 20));

// -- Calls as promises -----------------------------------------------------------------------------

// A unary call: its response, or the error with which it ended.
const ask = (method, request, {metadata = new grpc.Metadata(), on = client, ...options} = {}) =>
  new Promise((resolve, reject) => {
    on[method](request, metadata, options, (error, response) =>
      error ? reject(error) : resolve(response));
  });

// A client's stream of requests, and a promise of its one response.
function collect(options = patiently()) {
  let stream;
  const response = new Promise((resolve, reject) => {
    stream = client.PlayMany(new grpc.Metadata(), options, (error, value) =>
      error ? reject(error) : resolve(value));
  });
  return {stream, response};
}

// A stream of responses: next() is the next one, `ended` the status with which the call ended.
function conversation(stream) {
  const arrived = [];
  const waiting = [];
  let failure;
  stream.on('data', (response) => {
    if (waiting.length > 0) waiting.shift().resolve(response);
    else arrived.push(response);
  });
  stream.on('error', () => {});  // The status says the same.
  const ended = new Promise((resolve) => {
    stream.on('status', (end) => {
      failure = new Error(`the call ended: ${end.details}`);
      for (const {reject} of waiting) reject(failure);
      resolve(end);
    });
  });
  const next = async () => {
    if (arrived.length > 0) return arrived.shift();
    if (failure) throw failure;
    return new Promise((resolve, reject) => waiting.push({resolve, reject}));
  };
  return {stream, next, ended};
}

const openRally = ({metadata = new grpc.Metadata(), on = client, ...options} = patiently()) =>
  conversation(on.Rally(metadata, options));
const openDuel = (options = patiently()) =>
  conversation(client.Duel(new grpc.Metadata(), options));
const openWatch = (game_id, options = patiently()) =>
  conversation(client.Watch({game_id}, new grpc.Metadata(), options));

async function rally(rounds, {stream, next, ended}) {
  for (let round = 0; round < rounds; ++round) stream.write({player_move: MOVES[round % 3]});
  for (let round = 0; round < rounds; ++round) checkRound(MOVES[round % 3], await next());
  stream.end();
  assert.equal((await ended).code, status.OK);
}

// A player's chair in a duel: do('throw', {move: 'ROCK'}) asks for something and drops the events
// that come before the reply.
function chair(game_id, player_id) {
  const {stream, next, ended} = openDuel();
  const ask = async (what, more = {}) => {
    stream.write({[what]: {game_id, player_id, ...more}});
    let reply;
    do reply = await next(); while (reply.response === 'event');
    assert.notEqual(reply.response, 'refused', JSON.stringify(reply));
  };
  return {stream, ended, do: ask};
}

const failsWith = (code, name) => (error) => {
  assert.equal(error.code, code, error.message);
  if (name) assert.ok(error.details.startsWith(`${name}: `), error.details);
  return true;
};

// -- To the end ------------------------------------------------------------------------------------

test('Play and Score', async () => {
  const session_id = 'grpc-js';
  for (const move of MOVES) {
    checkRound(move, await ask('Play', {player_move: move}));
    checkRound(move, await ask('Play', {player_move: move, session_id}));
  }
  const score = await ask('Score', {session_id});
  assert.equal(score.rounds, MOVES.length);
  assert.equal(score.wins + score.draws + score.losses, MOVES.length);
});

test('PlayMany', async () => {
  const rounds = 5000;
  const {stream, response} = collect();
  for (let round = 0; round < rounds; ++round) stream.write({player_move: MOVES[round % 3]});
  stream.end();
  const summary = await response;
  assert.equal(summary.rounds, rounds);
  const {wins, draws, losses} = summary.score;
  assert.equal(wins + draws + losses, rounds);
});

test('Rally', async () => {
  await rally(5000, openRally());
});

test('a Rally without a round', async () => {
  await rally(0, openRally());
});

test('Duel', async () => {
  const game_id = 'grpc-js';
  const players = {one: openDuel(), two: openDuel()};
  for (const [player_id, {stream, next}] of Object.entries(players)) {
    stream.write({join: {game_id, player_id, best_of: 1}});
    assert.equal((await next()).joined.best_of, 1);
  }
  for (const {next} of Object.values(players)) {
    assert.equal((await next()).event.event, 'opponent_joined');
  }
  players.one.stream.write({throw: {game_id, player_id: 'one', move: 'ROCK'}});
  assert.equal((await players.one.next()).response, 'accepted');
  assert.equal((await players.two.next()).event.event, 'opponent_ready');
  players.one.stream.write({throw: {game_id, player_id: 'one', move: 'ROCK'}});
  assert.equal((await players.one.next()).refused.error, 'not_your_turn');
  players.two.stream.write({throw: {game_id, player_id: 'two', move: 'PAPER'}});
  assert.equal((await players.two.next()).response, 'accepted');
  for (const [player_id, result] of [['one', 'LOSE'], ['two', 'WIN']]) {
    const {event: round} = await players[player_id].next();
    assert.equal(round.player_id, player_id);
    assert.equal(round.round_over.result, result);
    const {event: game} = await players[player_id].next();
    assert.equal(game.game_over.winner, 'two');
    players[player_id].stream.end();
    assert.equal((await players[player_id].ended).code, status.OK);
  }
});

test('Watch shows a whole duel, and no thrown move before its round is over', async () => {
  const game_id = 'grpc-js-watched';
  const [one, two] = [chair(game_id, 'one'), chair(game_id, 'two')];
  await one.do('join', {best_of: 3});
  const spectator = openWatch(game_id);
  const sees = async (event) => {
    const observation = await spectator.next();
    assert.equal(observation.event, event, JSON.stringify(observation));
    if (event !== 'round_over') assert.ok(!/_move/.test(JSON.stringify(observation)));
    return observation;
  };
  const {state: alone} = await sees('snapshot');
  assert.deepEqual(alone.players.map(({player_id}) => player_id), ['one']);
  await two.do('join');
  assert.equal((await sees('joined')).joined.seat, 2);
  await two.do('leave');
  assert.equal((await sees('left')).left.seat, 2);
  await two.do('join');
  await sees('joined');
  for (const [first_move, second_move] of [['ROCK', 'PAPER'], ['ROCK', 'ROCK'],
    ['PAPER', 'SCISSORS']]) {
    await one.do('throw', {move: first_move});
    assert.equal((await sees('ready')).ready.seat, 1);
    await two.do('throw', {move: second_move});
    const {round_over: shown} = await sees('round_over');
    assert.deepEqual([shown.first_move, shown.second_move], [first_move, second_move]);
    assert.equal(shown.first_result, resultOf(first_move, second_move));
  }
  const {state} = await sees('game_over');
  assert.deepEqual([state.over, state.winner, state.rounds], [true, 'two', 3]);
  assert.equal((await spectator.ended).code, status.OK);
  const late = openWatch(game_id);
  assert.deepEqual((await late.next()).state, state);
  assert.equal((await late.ended).code, status.OK);
  for (const {stream} of [one, two]) stream.end();
});

test('a thousand calls at once on one connection, of which the server opens a hundred', async () => {
  await Promise.all(Array.from({length: 10 * STREAMS_MAX}, async (_, number) => {
    const move = MOVES[number % 3];
    checkRound(move, await ask('Play', {player_move: move}));
  }));
});

test('as many streams at once as a connection may have', async () => {
  const on = connect();
  await Promise.all(Array.from({length: STREAMS_MAX}, () =>
    rally(50, openRally({on, ...patiently()}))));
  on.close();
});

// -- Refused ---------------------------------------------------------------------------------------

test('errors of unary calls', async () => {
  for (const [method, request, code, name] of [
    ['Play', {}, status.INVALID_ARGUMENT, 'invalid_move'],
    ['Play', {player_move: 77}, status.INVALID_ARGUMENT, 'invalid_move'],
    ['Play', {player_move: 'ROCK', session_id: 'a b'}, status.INVALID_ARGUMENT,
      'malformed_request'],
    ['Score', {session_id: 'nobody-played'}, status.NOT_FOUND, 'unknown_session'],
    ['Score', {}, status.INVALID_ARGUMENT, 'malformed_request']]) {
    await assert.rejects(ask(method, request), failsWith(code, name));
  }
});

test('the details of a status name the reason', async () => {
  const error = await ask('Score', {session_id: 'nobody-played'}).catch((refusal) => refusal);
  const {code, message, details} = detailsOf(error, protoFolder);
  assert.equal(code, error.code);
  assert.equal(message, error.details);
  const {reason, domain} = details['google.rpc.ErrorInfo'];
  assert.deepEqual({reason, domain}, {reason: 'UNKNOWN_SESSION', domain: 'rps'});
});

test('a refused round ends a stream, and the rounds before it are answered', async () => {
  const {stream, next, ended} = openRally();
  for (const player_move of ['ROCK', 'PAPER', 0, 'SCISSORS']) stream.write({player_move});
  checkRound('ROCK', await next());
  checkRound('PAPER', await next());
  failsWith(status.INVALID_ARGUMENT, 'invalid_move')(await ended);

  const many = collect();
  many.stream.on('error', () => {});
  many.stream.write({player_move: 'ROCK'});
  many.stream.write({});
  await assert.rejects(many.response, failsWith(status.INVALID_ARGUMENT, 'invalid_move'));
});

test('a Watch of what is no duel', async () => {
  failsWith(status.NOT_FOUND, 'unknown_game')(await openWatch('nobody').ended);
  failsWith(status.INVALID_ARGUMENT, 'malformed_request')(await openWatch('').ended);
});

test('an unknown method', async () => {
  const cheat = new Promise((resolve, reject) => {
    client.makeUnaryRequest('/rps.v1.RockPaperScissorsService/Cheat', () => Buffer.alloc(0),
      (bytes) => bytes, {}, (error, response) => error ? reject(error) : resolve(response));
  });
  await assert.rejects(cheat, failsWith(status.UNIMPLEMENTED));
});

test('a message that is too long ends its call, and the connection goes on', async () => {
  const session_id = 'x'.repeat(REQUEST_BYTES_MAX);
  await assert.rejects(ask('Play', {player_move: 'ROCK', session_id}),
    failsWith(status.RESOURCE_EXHAUSTED));
  const {stream, next, ended} = openRally();
  stream.write({player_move: 'ROCK'});
  checkRound('ROCK', await next());
  stream.write({player_move: 'ROCK', session_id});
  failsWith(status.RESOURCE_EXHAUSTED)(await ended);
  checkRound('ROCK', await ask('Play', {player_move: 'ROCK'}));
});

test('a compressed message is refused', async () => {
  const gzip = {'grpc.default_compression_algorithm': 2};
  const on = connect(gzip);
  const session_id = 'x'.repeat(60);
  await assert.rejects(ask('Play', {player_move: 'ROCK', session_id}, {on}),
    failsWith(status.UNIMPLEMENTED));
  on.close();
});

// -- Deadlines -------------------------------------------------------------------------------------

test('a deadline that leaves time enough changes nothing', async () => {
  checkRound('ROCK', await ask('Play', {player_move: 'ROCK'}, patiently()));
  await rally(10, openRally(patiently()));
});

test('a deadline ends a call of each mode', async () => {
  const short = () => inMilliseconds(50);
  await assert.rejects(ask('Play', {player_move: 'ROCK'}, inMilliseconds(-1)),
    failsWith(status.DEADLINE_EXCEEDED));
  const many = collect(short());
  many.stream.on('error', () => {});
  many.stream.write({player_move: 'ROCK'});
  await assert.rejects(many.response, failsWith(status.DEADLINE_EXCEEDED));
  for (const open of [openRally, openDuel]) {
    assert.equal((await open(short()).ended).code, status.DEADLINE_EXCEEDED);
  }
  const player = chair('grpc-js-late', 'one');
  await player.do('join');
  assert.equal((await openWatch('grpc-js-late', inMilliseconds(500)).ended).code,
    status.DEADLINE_EXCEEDED);
  player.stream.end();
});

// -- Cancellation ----------------------------------------------------------------------------------

test('a cancelled call of each mode ends as CANCELLED, and the connection goes on', async () => {
  const unary = new Promise((resolve, reject) => {
    client.Play({player_move: 'ROCK'}, (error) => error ? reject(error) : resolve()).cancel();
  });
  await assert.rejects(unary, failsWith(status.CANCELLED));

  const many = collect();
  many.stream.on('error', () => {});
  many.stream.write({player_move: 'ROCK'});
  await moment();  // grpc-js forgets a cancellation that comes before it has a connection.
  many.stream.cancel();
  await assert.rejects(many.response, failsWith(status.CANCELLED));

  const rallying = openRally();
  rallying.stream.write({player_move: 'ROCK'});
  checkRound('ROCK', await rallying.next());
  rallying.stream.cancel();
  assert.equal((await rallying.ended).code, status.CANCELLED);

  const player = chair('grpc-js-unwatched', 'one');
  await player.do('join');
  const watching = openWatch('grpc-js-unwatched');
  assert.equal((await watching.next()).event, 'snapshot');
  watching.stream.cancel();
  assert.equal((await watching.ended).code, status.CANCELLED);
  await player.do('leave');  // The player notices nothing.
  player.stream.end();
  checkRound('ROCK', await ask('Play', {player_move: 'ROCK'}));
});

test('a duel whose stream is cancelled loses its player, and a new stream takes the chair',
  async () => {
    const game_id = 'grpc-js-cancelled';
    const join = ({stream, next}, player_id) => {
      stream.write({join: {game_id, player_id, best_of: 3}});
      return next();
    };
    const [leaver, stayer, again] = [openDuel(), openDuel(), openDuel()];
    await join(leaver, 'leaver');
    await join(stayer, 'stayer');
    assert.equal((await stayer.next()).event.event, 'opponent_joined');
    leaver.stream.cancel();
    assert.equal((await leaver.ended).code, status.CANCELLED);
    assert.equal((await stayer.next()).event.event, 'opponent_left');
    assert.equal((await join(again, 'leaver')).joined.seat, 1);
    assert.equal((await stayer.next()).event.event, 'opponent_joined');
    for (const {stream} of [stayer, again]) stream.end();
  });

// -- Metadata --------------------------------------------------------------------------------------

test('metadata that the service does not know is ignored, in ASCII and in bytes', async () => {
  const metadata = new grpc.Metadata();
  metadata.set('x-note', 'a note');
  metadata.set('x-note-bin', Buffer.from([0, 255, 10, 13]));
  checkRound('ROCK', await ask('Play', {player_move: 'ROCK'}, {metadata}));
  await rally(3, openRally({metadata, ...patiently()}));
});

// gRPC 1.51 closes the connection at the headers of the next call; grpc-js opens another.
test('headers past the limit end their call', async () => {
  const on = connect();
  checkRound('ROCK', await ask('Play', {player_move: 'ROCK'}, {on}));
  const metadata = new grpc.Metadata();
  metadata.set('x-long', 'y'.repeat(15_000));
  await assert.rejects(ask('Play', {player_move: 'ROCK'}, {on, metadata}),
    failsWith(status.RESOURCE_EXHAUSTED));
  await ask('Play', {player_move: 'ROCK'}, {on}).catch(failsWith(status.UNAVAILABLE));
  checkRound('ROCK', await ask('Play', {player_move: 'ROCK'}, {on}));
  on.close();
});

// -- Signs of life ---------------------------------------------------------------------------------

// The server was told to allow a PING each 100 ms.
test('a stream on which nothing happens stays open under keepalive pings', async () => {
  const on = connect({'grpc.keepalive_time_ms': 150, 'grpc.keepalive_timeout_ms': 20_000});
  const {stream, next, ended} = openRally({on, ...patiently()});
  stream.write({player_move: 'ROCK'});
  checkRound('ROCK', await next());
  await new Promise((resolve) => setTimeout(resolve, 2000));
  stream.write({player_move: 'PAPER'});
  checkRound('PAPER', await next());
  stream.end();
  assert.equal((await ended).code, status.OK);
  on.close();
});
