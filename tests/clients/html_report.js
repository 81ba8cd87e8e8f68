// Chromium, which we did not write, opens the harness's HTML report from a file: everything is
// there, can be read, fits, and nobody is asked for anything.
//
//   node html_report.js BENCH_HTML_PAGE [FOLDER_FOR_SCREENSHOTS]
'use strict';

const assert = require('node:assert/strict');
const {execFileSync} = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const {pathToFileURL} = require('node:url');

const {chromium} = require('playwright-core');

const [printer, screenshots] = process.argv.slice(2);
const flags = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const figures = ['spectrum', 'spectrum-open', 'latency-against-throughput',
  'qps-against-concurrency', 'goodput-against-offered', 'cost', 'floor', 'time-series', 'trials'];
const wide = {width: 1280, height: 900};
const narrow = {width: 400, height: 800};

// ---- In the page ---------------------------------------------------------------------------

// What is wrong with the figures, in sentences.
function wrongFigures() {
  const wrong = [];
  for (const figure of document.querySelectorAll('figure')) {
    const box = figure.getBoundingClientRect();
    if (box.height < 100 || box.left < 0 || box.right > innerWidth) {
      wrong.push(`${figure.id} is not inside the page`);
    }
    for (const svg of figure.querySelectorAll('svg')) {
      const marks = [...svg.querySelectorAll('.line[d], .bar, .dot')];
      const drawn = marks.filter((mark) => {
        const size = mark.getBBox();
        return size.width > 0 && size.height >= 0;
      });
      if (drawn.length === 0) wrong.push(`${figure.id} has an empty drawing`);
    }
  }
  return wrong;
}

// Texts that leave their drawing, and names that lie on each other.
function wrongTexts() {
  const wrong = [];
  const slack = 1;
  for (const svg of document.querySelectorAll('figure svg')) {
    const {width, height} = svg.viewBox.baseVal;
    const names = [];
    for (const text of svg.querySelectorAll('text')) {
      const box = text.getBBox();
      if (box.x < -slack || box.x + box.width > width + slack || box.y < -slack ||
          box.y + box.height > height + slack) {
        wrong.push(`"${text.textContent}" leaves its drawing`);
      }
      if (text.classList.contains('name')) names.push({box, text: text.textContent});
    }
    for (const [i, a] of names.entries()) {
      for (const b of names.slice(i + 1)) {
        const apart = a.box.x + a.box.width <= b.box.x || b.box.x + b.box.width <= a.box.x ||
            a.box.y + a.box.height <= b.box.y + slack || b.box.y + b.box.height <= a.box.y + slack;
        if (!apart) wrong.push(`"${a.text}" lies on "${b.text}"`);
      }
    }
  }
  return wrong;
}

// Texts with a contrast below 4.5 (WCAG 2.2, 1.4.3), with what they have.
function paleTexts() {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => channels(colour).slice(0, 3)
      .map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
      .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  const groundOf = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if ((channels(colour)[3] ?? 1) > 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const pale = [];
  for (const element of document.body.querySelectorAll(':not(script, title, desc, svg)')) {
    const hasText = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
    if (!hasText || element.getClientRects().length === 0) continue;
    const style = getComputedStyle(element);
    const ink = element instanceof SVGElement ? style.fill : style.color;
    const [low, high] = [luminance(ink), luminance(groundOf(element))].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) pale.push(`${contrast.toFixed(2)}: ${element.textContent.slice(0, 40)}`);
  }
  return pale;
}

const widthOfPage = () => document.documentElement.scrollWidth;
const openAll = () => document.querySelectorAll('details').forEach((each) => { each.open = true; });

// ---- Outside -------------------------------------------------------------------------------

// Processes whose command line names the folder.
function processesOf(folder) {
  return fs.readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false;  // It has ended.
    }
  });
}

async function screenshot(page, name, options = {}) {
  if (!screenshots) return;
  await page.screenshot({path: path.join(screenshots, `${name}.png`), fullPage: true, ...options});
}

test('the HTML report in a browser', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rps-html-'));
  t.after(() => fs.rmSync(folder, {recursive: true, force: true}));
  const file = path.join(folder, 'report.html');
  fs.writeFileSync(file, execFileSync(printer, {maxBuffer: 2 ** 28}));
  const address = pathToFileURL(file).href;

  const browser = await chromium.launchPersistentContext(path.join(folder, 'profile'), {
    executablePath: '/usr/bin/chromium', headless: true, args: flags, viewport: wide,
    acceptDownloads: true, env: {...process.env, HOME: folder}});
  const complaints = [];
  const requests = [];
  try {
    const page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    page.on('dialog', (dialog) => {
      complaints.push(`a dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    await page.goto(address);

    await t.test('has every figure, with a title, words and numbers', async () => {
      const ids = await page.$$eval('figure', (all) => all.map((each) => each.id));
      assert.deepEqual(ids, figures);
      const unnamed = await page.$$eval('figure svg', (all) => all.filter((svg) =>
        svg.getAttribute('role') !== 'img' || !svg.querySelector(':scope > title')?.textContent ||
        !svg.querySelector(':scope > desc')?.textContent).length);
      assert.equal(unnamed, 0);
      const bare = await page.$$eval('figure', (all) => all.filter((each) =>
        !each.querySelector('figcaption h3') || !each.querySelector('figcaption p') ||
        !each.querySelector('details tbody th[scope=row]') ||
        !each.querySelector('details thead th[scope=col]')).map((each) => each.id));
      assert.deepEqual(bare, []);
      const ends = await page.$$eval('nav a', (all) => all.filter((each) =>
        !document.getElementById(each.hash.slice(1))).map((each) => each.hash));
      assert.deepEqual(ends, []);
    });

    for (const [name, size] of Object.entries({wide, narrow})) {
      await t.test(`fits a ${name} page`, async () => {
        await page.setViewportSize(size);
        assert.ok(await page.evaluate(widthOfPage) <= size.width, 'the page scrolls sideways');
        assert.deepEqual(await page.evaluate(wrongFigures), []);
        assert.deepEqual(await page.evaluate(wrongTexts), []);
        await screenshot(page, name, {fullPage: size === wide});
      });
    }

    await t.test('can be read in the light and in the dark', async () => {
      await page.setViewportSize(wide);
      const ground = () => getComputedStyle(document.body).backgroundColor;
      const grounds = [];
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({colorScheme});
        grounds.push(await page.evaluate(ground));
        assert.deepEqual(await page.evaluate(paleTexts), [], colorScheme);
        await screenshot(page, colorScheme);
      }
      assert.notEqual(grounds[0], grounds[1]);
      await page.check('#colours-light');
      assert.equal(await page.evaluate(ground), grounds[0]);
      await page.emulateMedia({colorScheme: 'light'});
      await page.check('#colours-dark');
      assert.equal(await page.evaluate(ground), grounds[1]);
    });

    await t.test('is printed on a light ground, without what paper cannot do', async () => {
      await page.emulateMedia({media: 'print'});
      assert.deepEqual(await page.evaluate(paleTexts), []);
      assert.equal(await page.locator('nav').isVisible(), false);
      assert.equal(await page.locator('.colours').isVisible(), false);
      if (screenshots) await page.pdf({path: path.join(screenshots, 'print.pdf'), format: 'A4'});
      await page.emulateMedia({media: null});
    });

    await t.test('shows the numbers without leaving the page', async () => {
      await page.setViewportSize(narrow);
      await page.evaluate(openAll);
      assert.ok(await page.evaluate(widthOfPage) <= narrow.width, 'the page scrolls sideways');
      assert.ok(await page.locator('#spectrum details td').first().isVisible());
    });

    await t.test('holds the run, which can be saved', async () => {
      const run = await page.$eval('#run', (each) => JSON.parse(each.textContent));
      assert.ok(run.cells.length > 0 && run.trials.length > 0);
      const [download] = await Promise.all([page.waitForEvent('download'), page.click('.download')]);
      assert.deepEqual(JSON.parse(fs.readFileSync(await download.path(), 'utf8')), run);
      assert.equal(download.suggestedFilename(), `${run.id}.json`);
    });

    await t.test('asked nobody and complained of nothing', () => {
      assert.deepEqual(complaints, []);
      assert.deepEqual(requests.filter((url) => !url.startsWith('data:')), [address]);
    });
  } finally {
    await browser.close();
  }
  assert.deepEqual(processesOf(folder), [], 'a process of the browser is left');
});
