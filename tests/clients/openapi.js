// The REST gateway by nothing but its own OpenAPI document: a validator that we did not write checks
// the document, calls are made from it, every status that it documents is produced, and every answer
// is checked against its schemas.
//
//   node openapi.js REST_URL GUARDED_REST_URL DRAINING_REST_URL PID
//
// The first server does not wait long for the rest of a request. The guarded one asks for tokens:
// "player" may do everything, "scorer" and "thrower" one thing; each has one call a second. The last
// one, of this PID, is told to end.
'use strict';

const assert = require('node:assert/strict');
const net = require('node:net');
const path = require('node:path');
const test = require('node:test');

const Ajv = require('ajv/dist/2020');

const [url, guarded, draining] = process.argv.slice(2);
const pid = Number(process.argv[5]);
const seen = new Set();  // "operationId status"

let described;
let operations;
let ajv;

async function readDocument() {
  if (described) return;
  described = await (await fetch(`${url}/openapi.json`)).json();
  operations = new Map();
  for (const [template, verbs] of Object.entries(described.paths)) {
    for (const [verb, operation] of Object.entries(verbs)) {
      operations.set(operation.operationId, {path: template, verb, ...operation});
    }
  }
  ajv = new Ajv({strict: false, formats: {uint64: /^[0-9]+$/}});
  ajv.addSchema({$id: 'doc', ...described});
}

function check(operation, status, type, text) {
  const response = operation.responses[status];
  assert.ok(response, `${operation.operationId} does not document ${status}: ${text}`);
  seen.add(`${operation.operationId} ${status}`);
  if (status === 204) return;
  const content = response.content[type];
  assert.ok(content, `${operation.operationId} ${status} does not document ${type}`);
  const validate = ajv.compile({$ref: content.schema.$ref.replace('#', 'doc#')});
  const texts = type === 'text/event-stream' ? [...text.matchAll(/^data: (.*)$/gm)].map((m) => m[1])
      : type === 'application/x-ndjson' ? text.split('\n').filter(Boolean) : [text];
  for (const one of texts) {
    const value = JSON.parse(one);
    if (value.error && value.error.code) continue;  // The end of a stream.
    assert.ok(validate(value), `${one}: ${ajv.errorsText(validate.errors)}`);
  }
}

function target(operation, parameters) {
  return operation.path.replace(/\{([^}]*)\}/g, (_, name) => encodeURIComponent(parameters[name]));
}

// Calls an operation as the document says, and checks the answer against it.
async function call(id, {parameters = {}, body, headers = {}, at = url, type} = {}) {
  await readDocument();
  const operation = operations.get(id);
  const media = operation.requestBody && Object.keys(operation.requestBody.content)[0];
  const answer = await fetch(at + target(operation, parameters), {
    method: operation.verb.toUpperCase(),
    headers: {...(media && {'content-type': type || media}), ...headers},
    body: operation.requestBody && (typeof body === 'string' ? body : JSON.stringify(body)),
  });
  const text = await answer.text();
  check(operation, answer.status, answer.headers.get('content-type'), text);
  if (answer.status === 429) assert.match(answer.headers.get('retry-after'), /^[1-9][0-9]*$/);
  return {status: answer.status, text, body: answer.status === 200 && text};
}

// Sends bytes on a connection of their own and returns what comes until the end.
function exchange(at, bytes, later) {
  return new Promise((resolve, reject) => {
    const {hostname, port} = new URL(at);
    let text = '';
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (chunk) => { text += chunk; });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
    if (later) later(socket);
  });
}

// The same, as an answer to this operation.
async function raw(id, fields, {at = url, later, body = ''} = {}) {
  await readDocument();
  const operation = operations.get(id);
  const parameters = {session_id: 's', game_id: 'g', 'join.game_id': 'g', 'throw.game_id': 'g',
                      'leave.game_id': 'g'};
  const head = `${operation.verb.toUpperCase()} ${target(operation, parameters)} HTTP/1.1\r\n`;
  const text = await exchange(at, head + fields + '\r\n' + body, later);
  const [top, content] = text.split('\r\n\r\n');
  const status = Number(top.split(' ')[1]);
  check(operation, status, /content-type: (\S*)/i.exec(top)[1], content);
  return status;
}

// Whether the server still takes connections.
function isOpen(at) {
  const {hostname, port} = new URL(at);
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname, () => resolve(true) || socket.destroy());
    socket.on('error', () => resolve(false));
  });
}

test('the document is OpenAPI 3.1', async () => {
  await readDocument();
  // A module of the newer kind, which NODE_PATH does not lead to.
  const module = path.join(process.env.NODE_PATH, '@seriousme/openapi-schema-validator/index.js');
  const {Validator} = await import(module);
  const validator = new Validator();
  const result = await validator.validate(structuredClone(described));
  assert.ok(result.valid, JSON.stringify(result.errors));
  assert.equal(validator.version, '3.1');
});

test('a client that is made of the document plays', async () => {
  const {body} = await call('Play', {body: {player_move: 'ROCK', session_id: 's'}});
  assert.match(JSON.parse(body).result, /^(WIN|DRAW|LOSE)$/);
  assert.equal(JSON.parse((await call('Score', {parameters: {session_id: 's'}})).body).rounds, '1');
  const rounds = '{"player_move":"ROCK"}\n{"player_move":"PAPER"}\n';
  assert.equal(JSON.parse((await call('PlayMany', {body: rounds})).body).rounds, '2');
  assert.equal((await call('Rally', {body: rounds})).body.trim().split('\n').length, 2);
});

test('and it plays a duel, which two spectators see', async () => {
  const join = {'join.game_id': 'g'};
  const thrown = {'throw.game_id': 'g'};
  await call('Duel_join', {parameters: join, body: {player_id: 'ann', best_of: 1}});
  const watches = ['text/event-stream', 'application/x-ndjson'].map(
      (accept) => call('Watch', {parameters: {game_id: 'g'}, headers: {accept}}));
  await call('Duel_join', {parameters: join, body: {player_id: 'bob'}});
  assert.equal((await call('Duel_join', {parameters: join, body: {player_id: 'eve'}})).status, 409);
  const move = (player_id, name) =>
      call('Duel_throw', {parameters: thrown, body: {player_id, move: name}});
  await move('ann', 'ROCK');
  assert.equal((await move('ann', 'ROCK')).status, 409);
  await move('bob', 'PAPER');
  const [events, lines] = (await Promise.all(watches)).map((one) => one.text);
  assert.match(events, /event: game_over\n/);
  assert.match(lines, /"winner":"bob".*"game_over":\{\}\}\n$/);
  const id = events.match(/id: (\S+)\n(?!.*id: )/s)[1];
  const again = {accept: 'text/event-stream', 'last-event-id': id};
  assert.equal((await call('Watch', {parameters: {game_id: 'g'}, headers: again})).status, 204);
  const leave = {parameters: {'leave.game_id': 'g'}, body: {player_id: 'ann'}};
  assert.equal((await call('Duel_leave', leave)).status, 200);
  leave.body = {player_id: 'eve'};
  assert.equal((await call('Duel_leave', leave)).status, 409);
});

const no = {session_id: 'none', game_id: 'none', 'join.game_id': 'none', 'throw.game_id': 'none',
            'leave.game_id': 'none'};
const player = {authorization: 'Bearer player'};
const problems = {accept: 'application/json, application/x-ndjson, application/problem+json'};

test('every operation refuses as it says', async () => {
  await readDocument();
  for (const [id, operation] of operations) {
    const wrong = {parameters: {...no, game_id: ' ', session_id: ' ', 'join.game_id': ' ',
                                'throw.game_id': ' ', 'leave.game_id': ' '}, body: '{'};
    assert.equal((await call(id, wrong)).status, 400);
    assert.equal((await call(id, {...wrong, headers: problems})).status, 400);
    assert.equal((await call(id, {parameters: no, body: '{}', at: guarded})).status, 401);
    const other = {authorization: `Bearer ${id === 'Score' ? 'thrower' : 'scorer'}`};
    const asked = {player_move: 'ROCK', player_id: 'ann', move: 'ROCK'};
    const refused = {parameters: no, body: asked, at: guarded, headers: other};
    assert.equal((await call(id, refused)).status, 403);
    const foreign = {origin: 'http://evil.example'};
    assert.equal((await call(id, {parameters: no, body: '{}', headers: foreign})).status, 403);
    const html = {accept: 'text/html'};
    assert.equal((await call(id, {parameters: no, body: '{}', headers: html})).status, 406);
    if (operation.requestBody) {
      assert.equal((await call(id, {parameters: no, body: '{}', type: 'text/plain'})).status, 415);
      const long = `{"session_id":"${'x'.repeat(70000)}"}`;
      assert.equal((await call(id, {parameters: no, body: long})).status, 413);
    }
    const allowed = {parameters: no, body: asked, at: guarded, headers: player};
    for (let i = 0; i < 3; ++i) await call(id, allowed);
    assert.ok(seen.has(`${id} 429`), `${id}: no 429`);
    assert.equal(await raw(id, 'Host: evil.example\r\nConnection: close\r\n'), 421);
    assert.equal(await raw(id, `Host: localhost\r\nX: ${'x'.repeat(9000)}\r\n`), 431);
    const json = 'Host: localhost\r\nContent-Type: application/json\r\n';
    assert.equal(await raw(id, `${json}Content-Length: 5\r\n`), 408);
    assert.equal(await raw(id, `${json}Content-Length: 70000\r\n`), 413);
    assert.equal(await raw(id, 'Host: localhost\r\nExpect: more\r\n'), 417);
    assert.equal(await raw(id, 'Host: localhost\r\nTransfer-Encoding: gzip\r\n'), 501);
  }
});

test('a session or duel that is not there is 404', async () => {
  assert.equal((await call('Score', {parameters: no})).status, 404);
  assert.equal((await call('Watch', {parameters: no})).status, 404);
  for (const id of ['Duel_throw', 'Duel_leave']) {
    const body = {player_id: 'ann', move: 'ROCK'};
    assert.equal((await call(id, {parameters: no, body})).status, 404);
  }
});

test('a server that drains answers 503 to requests that it has begun', async () => {
  await readDocument();
  const begun = [];
  const sockets = [];
  const fields = 'Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n';
  await Promise.all([...operations.keys()].map((id) => new Promise((resolve) => {
    const later = (socket) => sockets.push(socket) && socket.once('connect', resolve);
    begun.push(raw(id, fields, {at: draining, later, body: '{'}));
  })));
  process.kill(pid, 'SIGTERM');
  while (await isOpen(draining)) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const socket of sockets) socket.write('}');
  for (const status of await Promise.all(begun)) assert.equal(status, 503);
});

test('every documented status was produced', async () => {
  const missing = [];
  for (const [id, operation] of operations) {
    for (const status of Object.keys(operation.responses)) {
      if (!seen.has(`${id} ${status}`)) missing.push(`${id} ${status}`);
    }
  }
  assert.deepEqual(missing, []);
});
