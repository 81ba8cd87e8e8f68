// The page of the REST gateway. The address says what is shown: "#" a game against the house,
// "#duel" the form that opens a duel, "#game=ID" the duel ID.
'use strict';

const find = (id) => document.getElementById(id);
const sections = ['begin', 'invited', 'game'];
const words = {WIN: 'You win', DRAW: 'A draw', LOSE: 'You lose'};
const pauseMax = 5000;  // Milliseconds between two attempts to connect.

// What this window keeps until it is closed.
const stored = (name, make) => {
  if (!sessionStorage.getItem(name)) sessionStorage.setItem(name, make());
  return sessionStorage.getItem(name);
};
// 128 bits that nobody can guess.
const randomId = () => [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0')).join('');
const player = stored('rps.player', randomId);
const session = stored('rps.session', randomId);

// What is shown; a new view ends the work of the one before.
let view = {ended: new AbortController(), throwMove: null};

// ---- The server ----------------------------------------------------------------------------

class Refusal extends Error {
  constructor(status, body) {
    const [, name, text] = /^(?:(\w+): )?(.*)$/s.exec(body.message ?? `HTTP status ${status}`);
    super(text);
    this.name = name ?? '';
    this.status = status;
  }
}

// Resolves when the user has entered a token.
function askForToken() {
  const form = find('token-form');
  form.hidden = false;
  find('token').focus();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem('rps.token', find('token').value);
      form.hidden = true;
      resolve();
    };
  });
}

async function request(path, options, signal) {
  for (;;) {
    const token = sessionStorage.getItem('rps.token');
    const headers = {...options.headers, ...(token && {authorization: `Bearer ${token}`})};
    const response = await fetch(path, {...options, headers, signal, cache: 'no-store'});
    if (response.ok) return response;
    const body = await response.json().catch(() => ({}));
    if (response.status !== 401) throw new Refusal(response.status, body);
    await askForToken();
    signal.throwIfAborted();
  }
}

async function post(path, message, signal) {
  const headers = {'content-type': 'application/json'};
  const response = await request(path,
      {method: 'POST', headers, body: JSON.stringify(message)}, signal);
  return response.json();
}

// Calls `visit` with each event of the stream until it ends. EventSource cannot send a token.
async function readEvents(path, visit, signal) {
  const response = await request(path, {headers: {accept: 'text/event-stream'}}, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return;
    const blocks = (text + value).split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const lines = block.split('\n');
      const data = lines.find((line) => line.startsWith('data: '));
      if (data && !lines.includes('event: refused')) visit(JSON.parse(data.slice(6)));
    }
  }
}

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// ---- What is shown -------------------------------------------------------------------------

// A live region is read aloud when its text changes, so it is set only when it differs.
function say(id, text) {
  if (find(id).textContent !== text) find(id).textContent = text;
}

function showSection(shown) {
  for (const id of sections) find(id).hidden = id !== shown;
}

function allowMoves(isAllowed) {
  for (const button of find('moves').children) button.ariaDisabled = String(!isAllowed);
}

function showHands(...moves) {
  moves.forEach((move, i) => {
    find(`hand-${i + 1}`).setAttribute('href', move ? `#${move.toLowerCase()}` : '');
  });
}

function showScore(score) {
  find('wins-1').textContent = score?.wins ?? 0;
  find('draws').textContent = score?.draws ?? 0;
  find('wins-2').textContent = score?.losses ?? 0;
}

function showGame(title, names) {
  showSection('game');
  find('game-title').textContent = title;
  names.forEach((name, i) => { find(`name-${i + 1}`).textContent = name; });
  find('share').hidden = true;
  find('moves').hidden = false;
  showScore(null);
  showHands('', '');
  say('connection', '');
  say('result', 'Choose your move.');
  allowMoves(true);
}

const sentence = (text) => text && `${text[0].toUpperCase()}${text.slice(1)}.`;

// ---- Against the house ---------------------------------------------------------------------

function playHouse(signal) {
  showGame('Against the house', ['You', 'House']);
  showScore(JSON.parse(sessionStorage.getItem('rps.score')));
  view.throwMove = async (move) => {
    allowMoves(false);
    try {
      const round = await post('/v1/play', {player_move: move, session_id: session}, signal);
      sessionStorage.setItem('rps.score', JSON.stringify(round.score));
      if (signal.aborted) return;
      say('connection', '');
      showHands(move, round.opponent_move);
      showScore(round.score);
      say('result', `${words[round.result]}. ${sentence(round.reason)}`);
    } catch (error) {
      if (signal.aborted) return;
      // The round may have been played, so the page does not repeat it by itself.
      say('connection', error instanceof Refusal ? sentence(error.message) :
          'The server cannot be reached. Throw again in a moment.');
    }
    allowMoves(true);
  };
}

// ---- Duels ---------------------------------------------------------------------------------

class Duel {
  constructor(game, isPlayer, signal) {
    this.path = `/v1/games/${encodeURIComponent(game)}`;
    this.isPlayer = isPlayer;
    this.signal = signal;
    this.seat = 1;
    this.rounds = 0;
    this.lastRound = '';
  }

  async join() {
    const best_of = Number(sessionStorage.getItem('rps.best_of') ?? 3);
    const {joined} = await post(`${this.path}/join`, {player_id: player, best_of}, this.signal);
    this.seat = joined.seat;
  }

  async throwMove(move) {
    allowMoves(false);
    try {
      await post(`${this.path}/throw`, {player_id: player, move}, this.signal);
    } catch (error) {
      if (this.signal.aborted) return;
      say('connection', error instanceof Refusal ? sentence(error.message) : 'Connecting again…');
      allowMoves(true);
    }
  }

  // Connects, and again with growing pauses, until the duel is over.
  async run() {
    let pause = 250;
    while (!this.signal.aborted && !this.isOver) {
      try {
        if (this.isPlayer) await this.join();
        await readEvents(`${this.path}/events`, (event) => {
          pause = 250;
          this.show(event);
        }, this.signal);
      } catch (error) {
        if (this.signal.aborted) return;
        if (this.isFinal(error)) {
          say('connection', sentence(error.message));
          allowMoves(false);
          return;
        }
        this.waiting = error instanceof Refusal && error.status === 404 ?
          'This duel has not begun. Waiting for a player…' : '';
      }
      if (this.signal.aborted || this.isOver) return;
      allowMoves(false);
      say('connection', this.waiting || 'The connection is lost. Connecting again…');
      await sleep(pause * (0.75 + Math.random() / 2));
      pause = Math.min(2 * pause, pauseMax);
    }
  }

  isFinal(error) {
    if (!(error instanceof Refusal) || error.status === 429 || error.status >= 500) return false;
    return this.isPlayer || error.status !== 404;
  }

  show({state, round_over: round}) {
    this.isOver = state.over;
    if (Number(state.rounds) < this.rounds) this.lastRound = 'The duel begins anew.';
    this.rounds = Number(state.rounds);
    const own = state.players.find(({seat}) => seat === this.seat);
    const other = state.players.find(({seat}) => seat !== this.seat);
    say('connection', `Connected. Best of ${state.best_of}.`);
    showScore(own?.score);
    if (round) this.showRound(round);
    say('result', [this.lastRound, this.next(own, other, state)].filter(Boolean).join(' '));
    find('share').hidden = !this.isPlayer || Boolean(other) || state.over;
    allowMoves(this.isPlayer && !state.over && Boolean(other) && !own.ready);
  }

  showRound({first_move, second_move, first_result, reason}) {
    const isFirst = this.seat === 1;
    showHands(...(isFirst ? [first_move, second_move] : [second_move, first_move]));
    const result = isFirst ? first_result : {WIN: 'LOSE', LOSE: 'WIN', DRAW: 'DRAW'}[first_result];
    const verdict = this.isPlayer ? words[result] :
      {WIN: 'Player 1 wins', LOSE: 'Player 2 wins', DRAW: 'A draw'}[first_result];
    this.lastRound = `${verdict}. ${sentence(reason)}`;
  }

  // What the duel waits for.
  next(own, other, state) {
    if (state.over) return this.ending(own, state);
    if (!own || !other) return this.isPlayer ? 'Waiting for your friend.' : 'Waiting for a player.';
    if (!this.isPlayer) return own.ready || other.ready ? 'One player has thrown.' : '';
    if (!other.present) return 'Your friend is away.';
    if (own.ready) return 'Waiting for your friend’s move.';
    return other.ready ? 'Your friend has thrown. Choose your move.' : 'Choose your move.';
  }

  ending(own, {winner}) {
    if (!winner) return 'The duel was given up.';
    const isOwn = winner === own?.player_id;
    if (this.isPlayer) return isOwn ? 'You have won the duel.' : 'Your friend has won the duel.';
    return `Player ${isOwn ? 1 : 2} has won the duel.`;
  }
}

function startDuel(game, isPlayer, signal) {
  showGame(isPlayer ? 'Duel' : 'Watching a duel',
      isPlayer ? ['You', 'Friend'] : ['Player 1', 'Player 2']);
  find('moves').hidden = !isPlayer;
  find('link').value = location.href;
  allowMoves(false);
  say('result', '');
  say('connection', 'Connecting…');
  const duel = new Duel(game, isPlayer, signal);
  view.throwMove = (move) => duel.throwMove(move);
  duel.run();
}

// ---- The address ---------------------------------------------------------------------------

function showAddress() {
  view.ended.abort();
  view = {ended: new AbortController(), throwMove: null};
  const {signal} = view.ended;
  const game = /^#game=([\w-]{1,64})$/.exec(location.hash)?.[1];
  const isDuel = Boolean(game) || location.hash === '#duel';
  find('to-house').ariaCurrent = isDuel ? null : 'page';
  find('to-duel').ariaCurrent = isDuel ? 'page' : null;
  if (!isDuel) return playHouse(signal);
  if (!game) return showSection('begin');
  const role = sessionStorage.getItem(`rps.role.${game}`);
  if (role) return startDuel(game, role === 'player', signal);
  return showSection('invited');
}

function takeRole(role) {
  sessionStorage.setItem(`rps.role.${location.hash.slice('#game='.length)}`, role);
  showAddress();
  find('game-title').focus();
}

find('moves').addEventListener('click', ({target}) => {
  const button = target.closest('button');
  if (button && button.ariaDisabled !== 'true') view.throwMove?.(button.value);
});
find('new-duel').addEventListener('submit', (event) => {
  event.preventDefault();
  const game = randomId();
  sessionStorage.setItem('rps.best_of', find('best-of').value);
  sessionStorage.setItem(`rps.role.${game}`, 'player');
  location.hash = `game=${game}`;
});
find('join').addEventListener('click', () => takeRole('player'));
find('watch').addEventListener('click', () => takeRole('spectator'));
find('copy').addEventListener('click', async () => {
  find('link').select();
  try {
    await navigator.clipboard.writeText(find('link').value);
    say('connection', 'The link is copied.');
  } catch {
    say('connection', 'The link is selected. Copy it with your keyboard.');
  }
});
addEventListener('hashchange', showAddress);
showAddress();
