// Chromium opens the page of the REST gateway: it is played by keyboard, in two windows, across a
// restart of the server, on a narrow screen, and in the dark.
//
//   node page.js RPS_GRPC [FOLDER_FOR_SCREENSHOTS]
'use strict';

const assert = require('node:assert/strict');
const {spawn} = require('node:child_process');
const {once} = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const test = require('node:test');

const {chromium} = require('playwright-core');

const [program, screenshots] = process.argv.slice(2);
const flags = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const patience = 60_000;

// Starts a server; resolves to it and the URL of its gateway.
async function serve(rest = '127.0.0.1:0') {
  const server = spawn(program, ['--listen=127.0.0.1:0', `--rest=${rest}`],
      {stdio: ['ignore', 'pipe', 'ignore']});
  for await (const line of readline.createInterface({input: server.stdout})) {
    if (line.startsWith('rest ')) return {server, url: line.slice('rest '.length)};
  }
  throw new Error('the server did not start');
}

async function stop({server}) {
  const ended = once(server, 'exit');
  server.kill('SIGKILL');
  await ended;
}

const shows = (page, id, text) => page.waitForFunction(
    ([each, part]) => document.getElementById(each).textContent.includes(part), [id, text]);
const widthOfPage = () => document.documentElement.scrollWidth;

async function screenshot(page, name) {
  if (screenshots) await page.screenshot({path: path.join(screenshots, `${name}.png`)});
}

test('the page of the gateway in a browser', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rps-page-'));
  let served = await serve();
  const browser = await chromium.launchPersistentContext(path.join(folder, 'profile'), {
    executablePath: '/usr/bin/chromium', headless: true, args: flags,
    viewport: {width: 1000, height: 800}, env: {...process.env, HOME: folder}});
  browser.setDefaultTimeout(patience);
  t.after(async () => {
    await browser.close();
    await stop(served);
    fs.rmSync(folder, {recursive: true, force: true});
  });
  const complaints = [];
  const foreign = [];
  const open = async (hash = '') => {
    const page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(`${served.url}/`)) foreign.push(request.url());
    });
    await page.goto(`${served.url}/${hash}`);
    return page;
  };

  await t.test('plays a round by keyboard', async () => {
    const page = await open();
    for (let i = 0; i < 10; ++i) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => document.activeElement.value === 'PAPER')) break;
    }
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /^(You|A draw)/.test(
        document.getElementById('result').textContent));
    const counts = await page.$$eval('#score dd', (all) => all.map((each) =>
      Number(each.textContent)));
    assert.equal(counts.reduce((sum, each) => sum + each), 1);
    assert.equal(await page.evaluate(() => document.activeElement.value), 'PAPER');
    await screenshot(page, 'light');
    await page.emulateMedia({colorScheme: 'light'});
    const ground = () => getComputedStyle(document.body).backgroundColor;
    const light = await page.evaluate(ground);
    await page.emulateMedia({colorScheme: 'dark'});
    assert.notEqual(await page.evaluate(ground), light);
    await screenshot(page, 'dark');
    await page.close();
  });

  const first = await open('#duel');
  await first.selectOption('#best-of', '5');
  await first.click('#new-duel button');
  await shows(first, 'result', 'Waiting for your friend.');
  const link = await first.inputValue('#link');
  const hash = new URL(link).hash;
  const second = await open(hash);

  await t.test('a duel is played in two windows, by a link without a player', async () => {
    const id = await first.evaluate(() => sessionStorage.getItem('rps.player'));
    assert.ok(!link.includes(id));
    await screenshot(first, 'waiting');
    await second.click('#join');
    await shows(first, 'result', 'Choose your move.');
    await shows(second, 'connection', 'Best of 5');
    await first.click('[value=ROCK]');
    await shows(second, 'result', 'Your friend has thrown.');
    await second.click('[value=SCISSORS]');
    await shows(first, 'result', 'You win.');
    await shows(second, 'result', 'You lose.');
    await screenshot(second, 'duel');
  });

  await t.test('a spectator sees how the duel stands', async () => {
    const spectator = await open(hash);
    await spectator.click('#watch');
    await shows(spectator, 'wins-1', '1');
    assert.ok(await spectator.isHidden('#moves'));
    await spectator.close();
  });

  await t.test('does not scroll sideways at 360 px', async () => {
    for (const page of [first, second]) {
      await page.setViewportSize({width: 360, height: 720});
      assert.ok(await page.evaluate(widthOfPage) <= 360);
      await screenshot(page, 'narrow');
    }
  });

  await t.test('asks no other server and complains of nothing', () => {
    assert.deepEqual(foreign, []);
    assert.deepEqual(complaints, []);
  });

  // A browser itself reports requests that fail meanwhile.
  await t.test('joins again after a restart of the server', async () => {
    const {host} = new URL(served.url);
    await stop(served);
    await shows(first, 'connection', 'Connecting again');
    served = await serve(host);
    await shows(first, 'result', 'The duel begins anew. Choose your move.');
    await shows(second, 'result', 'The duel begins anew. Choose your move.');
    await first.click('[value=PAPER]');
    await second.click('[value=ROCK]');
    await shows(first, 'result', 'You win.');
  });
});
