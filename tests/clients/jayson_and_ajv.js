// jayson, a JSON-RPC client that we did not write, against stage 2 over lines and over HTTP; and the
// server's own description of itself against the schema of such descriptions and against its
// replies.
//
//   node jayson_and_ajv.js HOST PORT
'use strict';

const assert = require('node:assert/strict');
const {randomUUID} = require('node:crypto');
const test = require('node:test');
const {promisify} = require('node:util');

const Ajv = require('ajv');
const jayson = require('jayson');
const {jsonSchema} = require('@json-schema-tools/meta-schema');
const {openrpcDocument} = require('@open-rpc/meta-schema');

const [host, port] = [process.argv[2], Number(process.argv[3])];

// jayson opens a connection for each call, and would need Node.js 20 to invent ids by itself.
const generator = randomUUID;
const clients = {
  lines: jayson.client.tcp({host, port, generator}),
  http: jayson.client.http({host, port, path: '/rpc', generator}),
};

// A client whose request() is a promise of the whole response, or of nothing for a notification.
const ask = (client) => promisify(client.request.bind(client));

// Two calls in one batch; without a callback jayson makes a request and does not send it.
const batchOf = (client, ...calls) => calls.map(([method, params]) => client.request(method, params));

for (const [name, client] of Object.entries(clients)) {
  const request = ask(client);
  const session = `jayson-${name}`;

  test(`${name}: a round, by position and by name`, async () => {
    for (const params of [['ROCK'], {player_move: 'ROCK'}, {move: 'ROCK', session_id: session}]) {
      const {result, error} = await request('play', params);
      assert.equal(error, undefined);
      const expected = {ROCK: 'DRAW', PAPER: 'LOSE', SCISSORS: 'WIN'}[result.opponent_move];
      assert.equal(result.result, expected);
    }
  });

  test(`${name}: a score`, async () => {
    await request('play', ['PAPER', `${session}-score`]);
    const {result} = await request('score', {session_id: `${session}-score`});
    assert.equal(result.rounds, 1);
    assert.equal(result.wins + result.draws + result.losses, 1);
  });

  test(`${name}: errors`, async () => {
    for (const [method, params, code] of [
      ['foobar', [], -32601], ['play', ['STONE'], -32602], ['play', {colour: 'red'}, -32602],
      ['score', ['never-played'], -32001]]) {
      const {result, error} = await request(method, params);
      assert.equal(result, undefined);
      assert.equal(error.code, code);
      assert.equal(typeof error.message, 'string');
      assert.equal(typeof error.data.error, 'string');
    }
  });

  test(`${name}: a batch`, async () => {
    const batch = batchOf(client, ['play', ['ROCK']], ['foobar', []], ['play', ['PAPER']]);
    const responses = await request(batch);
    assert.deepEqual(responses.map((one) => one.id), batch.map((one) => one.id));
    assert.deepEqual(responses.map((one) => 'result' in one), [true, false, true]);
  });

  test(`${name}: a notification is carried out and not answered`, async () => {
    const id = `${session}-notified`;
    assert.equal(await request('play', ['ROCK', id], null), undefined);
    const deadline = Date.now() + 60_000;
    for (let rounds = 0; rounds === 0;) {  // jayson does not wait for the server.
      assert.ok(Date.now() < deadline, 'it is never carried out');
      rounds = (await request('score', [id])).result?.rounds ?? 0;
    }
  });
}

test('lines: duels', async () => {
  const request = ask(clients.lines);
  const [game_id, player_id] = ['jayson', 'one'];
  const joined = await request('join', {game_id, player_id, best_of: 3});
  assert.deepEqual(joined.result, {seat: 1, best_of: 3});
  // The connection is closed by the next call, and the player has left the chair.
  const thrown = await request('throw', {game_id, player_id, move: 'ROCK'});
  assert.equal(thrown.result, undefined);
  const left = await request('leave', {game_id, player_id});
  assert.deepEqual(left.result, {done: true});
});

test('http: duels are refused, as it cannot push', async () => {
  const {error} = await ask(clients.http)('join', ['g', 'p']);
  assert.equal(error.code, -32601);
});

// -- What the server says about itself -------------------------------------------------------------

// Its keywords are those of OpenRPC as well, which no validator of JSON Schema knows.
const validator = () => new Ajv({strict: false, allErrors: true, logger: false});

const withoutDialect = ({$schema, ...schema}) => schema;

function isValid(validate, value) {
  assert.ok(validate(value), JSON.stringify(validate.errors, null, 1));
}

const describe = async (client) => (await ask(client)('rpc.discover', [])).result;

test('the description is one of OpenRPC, and the same over lines and HTTP', async () => {
  const document = await describe(clients.http);
  assert.deepEqual(document, await describe(clients.lines));
  const ajv = validator();
  ajv.addSchema(withoutDialect(jsonSchema), 'https://meta.json-schema.tools');
  const validate = ajv.compile(withoutDialect(openrpcDocument));
  isValid(validate, document);
  assert.ok(!validate({...document, methods: 1}), 'anything is a description');
  assert.deepEqual(document.methods.map((method) => method.name).sort(),
    ['join', 'leave', 'play', 'rpc.discover', 'score', 'throw']);
});

test('a best_of is taken when the description allows it, and only then', async () => {
  const document = await describe(clients.http);
  const schema = document.methods.find((one) => one.name === 'join').params[2].schema;
  const validate = validator().compile(schema);
  const request = ask(clients.lines);
  for (const best_of of [-1, 0, 1, 2, 2.5, 3, 3.0, 3e0, 98, 99, 100, 101, 2 ** 32 + 1, '3', null]) {
    const {result} = await request('join', {game_id: `best-${best_of}`, player_id: 'p', best_of});
    assert.equal(result !== undefined, validate(best_of), `best of ${best_of}`);
  }
});

test('results are what the description says', async () => {
  const document = await describe(clients.http);
  const ajv = validator();
  ajv.addSchema({$id: 'rpc:document', ...document});
  const schemaOf = (method) => {
    const at = document.methods.findIndex((one) => one.name === method);
    return ajv.compile({$ref: `rpc:document#/methods/${at}/result/schema`});
  };
  const request = ask(clients.lines);
  for (const [method, params] of [
    ['play', ['ROCK']], ['play', ['PAPER', 'described']], ['score', ['described']],
    ['join', ['described', 'p']]]) {
    const {result} = await request(method, params);
    isValid(schemaOf(method), result);
    assert.ok(!schemaOf(method)({}), `anything is a result of ${method}`);
  }
});

test('errors are what the description says', async () => {
  const {components: {errors}} = await describe(clients.http);
  const codes = Object.values(errors).map((error) => error.code);
  for (const [method, params] of [['play', ['STONE']], ['score', ['never-played']]]) {
    const {error} = await ask(clients.http)(method, params);
    assert.ok(codes.includes(error.code), `${error.code} is not described`);
  }
});
