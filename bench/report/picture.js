// Saves one figure of an HTML report as a PNG. `./rps publish` makes the picture of README.md so.
//
//   node picture.js REPORT.html FIGURE_ID OUT.png
//
// Starts Chromium without a window and speaks its DevTools protocol over a pipe: JSON messages, a
// zero byte behind each. No package of npm is needed.
'use strict';

const {spawn} = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const {pathToFileURL} = require('node:url');

const [report, figure, out] = process.argv.slice(2);
if (!out) {
  console.error('usage: node picture.js REPORT.html FIGURE_ID OUT.png');
  process.exit(2);
}

const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'rps-picture-'));
const browser = spawn('chromium', ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--hide-scrollbars', '--force-device-scale-factor=2', '--window-size=900,900',
  `--user-data-dir=${profile}`, '--remote-debugging-pipe'],
{stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']});
const [requests, answers] = [browser.stdio[3], browser.stdio[4]];

// ---- The protocol --------------------------------------------------------------------------

const waiting = new Map();  // Of the id of a request, or the name of an event: who waits for it.
let unread = '';
answers.on('data', (bytes) => {
  const messages = (unread + bytes).split('\0');
  unread = messages.pop();
  for (const {id, method, result, error} of messages.map((text) => JSON.parse(text))) {
    if (!waiting.has(id ?? method)) continue;
    const [resolve, reject] = waiting.get(id ?? method);
    waiting.delete(id ?? method);
    if (error) reject(new Error(error.message));
    else resolve(result);
  }
});

let sent = 0;
function ask(method, params, sessionId) {
  requests.write(JSON.stringify({id: ++sent, method, params, sessionId}) + '\0');
  return arrival(sent);
}

function arrival(key) {
  return new Promise((resolve, reject) => waiting.set(key, [resolve, reject]));
}

// ---- The picture ---------------------------------------------------------------------------

// Runs in the page: where the figure is, without the table of its numbers.
async function placeOf(id) {
  await new Promise((done) => setTimeout(done, 500));  // Charts are drawn in the next frames.
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no figure ${id}`);
  const box = element.getBoundingClientRect();
  const bottom = element.querySelector('details')?.getBoundingClientRect().top ?? box.bottom;
  const margin = 8;
  return {x: box.left + scrollX - margin, y: box.top + scrollY - margin,
    width: box.width + 2 * margin, height: bottom - box.top + margin};
}

async function takePicture() {
  const {targetId} = await ask('Target.createTarget', {url: 'about:blank'});
  const {sessionId} = await ask('Target.attachToTarget', {targetId, flatten: true});
  await ask('Page.enable', {}, sessionId);
  const loaded = arrival('Page.loadEventFired');
  await ask('Page.navigate', {url: pathToFileURL(report).href}, sessionId);
  await loaded;
  const {result, exceptionDetails} = await ask('Runtime.evaluate', {
    expression: `(${placeOf})(${JSON.stringify(figure)})`, awaitPromise: true, returnByValue: true,
  }, sessionId);
  if (exceptionDetails) throw new Error(exceptionDetails.exception.description);
  const {data} = await ask('Page.captureScreenshot', {
    format: 'png', captureBeyondViewport: true, clip: {...result.value, scale: 1},
  }, sessionId);
  fs.writeFileSync(out, Buffer.from(data, 'base64'));
}

browser.on('error', (error) => fail(`cannot start chromium: ${error.message}`));
browser.on('exit', () => {
  if (waiting.size > 0) fail('chromium ended before the picture was taken');
  remove(profile);
});

// Chromium's other processes may write into the profile for a moment after the browser has ended.
function remove(folder, attempts = 50) {
  try {
    fs.rmSync(folder, {recursive: true, force: true});
  } catch (error) {
    if (attempts === 0) throw error;
    setTimeout(remove, 100, folder, attempts - 1);
  }
}

function fail(why) {
  console.error(`picture.js: ${why}`);
  process.exitCode = 1;
  browser.kill();
}

takePicture().then(() => browser.kill(), (error) => fail(error.message));
