// Chromium, which we did not write, opens the harness's HTML report from a file: everything is
// there, can be read, fits, and nobody is asked for anything.
//
// The page is made by page.js and figures.js of bench/report, whose functions are asked here too.
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
const figures = ['latency-against-throughput', 'spectrum', 'spectrum-open',
  'qps-against-concurrency', 'goodput-against-offered', 'cost', 'floor', 'time-series', 'trials'];
const wide = {width: 1280, height: 900};
const narrow = {width: 400, height: 800};

// ---- In the page ---------------------------------------------------------------------------

// What is wrong with the figures, in sentences: a chart must lie inside the page and show
// something, and its names must not lie on each other.
function wrongFigures() {
  const wrong = [];
  for (const figure of document.querySelectorAll('figure')) {
    const box = figure.getBoundingClientRect();
    if (box.height < 100 || box.left < 0 || box.right > innerWidth) {
      wrong.push(`${figure.id} is not inside the page`);
    }
    const canvases = [...figure.querySelectorAll('.plot canvas')];
    if (canvases.length === 0) wrong.push(`${figure.id} has no chart`);
    for (const canvas of canvases) {
      const chart = Chart.getChart(canvas);
      const {left, right, top, bottom} = chart.chartArea;
      const places = chart.getSortedVisibleDatasetMetas().flatMap(({data}) => data);
      const seen = places.filter(({x, y}) => x >= left && x <= right && y >= top && y <= bottom);
      const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      const colours = new Set(new Uint32Array(pixels.buffer));
      if (seen.length === 0 || colours.size < 4) wrong.push(`${figure.id} has an empty chart`);
      for (const scale of Object.values(chart.scales)) {
        const labels = scale.ticks.map(({label}) => String(label));
        if (labels.length < 2 && scale.type !== 'category') {
          wrong.push(`${figure.id} has an axis with the ticks ${labels}`);
        }
        if (new Set(labels).size < labels.length) wrong.push(`${figure.id} repeats ${labels}`);
        wrong.push(...labels.filter((label) => /NaN|Infinity|undefined|null|\.0\b/.test(label)));
      }
    }
    const names = [...figure.querySelectorAll('.legend button:not([hidden])')];
    const boxes = names.map((name) => name.getBoundingClientRect());
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, k) => {
      const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top ||
          b.bottom <= a.top;
      if (!apart) wrong.push(`"${names[i].textContent}" lies on "${names[i + 1 + k].textContent}"`);
    }));
  }
  return wrong;
}

// Series of one chart that have the same colour and the same mark, and values that are no numbers.
function wrongSeries() {
  const wrong = [];
  for (const canvas of document.querySelectorAll('.plot canvas')) {
    const known = new Map();
    for (const dataset of Chart.getChart(canvas).data.datasets) {
      const look = `${dataset.borderColor} ${dataset.pointStyle ?? dataset.series.mark}`;
      if (known.has(look)) wrong.push(`${known.get(look)} and ${dataset.label} look the same`);
      known.set(look, dataset.label);
      const values = dataset.data.flatMap((each) =>
        each?.x === undefined ? [each] : [each.x, each.y]);
      wrong.push(...values.filter((value) => value !== null && !Number.isFinite(value)));
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
  const contrastOf = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((u, v) => u - v);
    return (high + 0.05) / (low + 0.05);
  };
  const groundOf = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if ((channels(colour)[3] ?? 1) > 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const pale = [];
  for (const element of document.body.querySelectorAll(':not(script, noscript)')) {
    const hasText = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
    if (!hasText || element.getClientRects().length === 0) continue;
    const style = getComputedStyle(element);
    const contrast = contrastOf(style.color, groundOf(element));
    if (contrast < 4.5) pale.push(`${contrast.toFixed(2)}: ${element.textContent.slice(0, 40)}`);
  }
  // The texts and lines that the charts draw.
  for (const canvas of document.querySelectorAll('.plot canvas')) {
    const {options, data} = Chart.getChart(canvas);
    const ground = groundOf(canvas);
    const texts = Object.values(options.scales)
        .flatMap(({ticks, title}) => [ticks.color, title.color]);
    const {backgroundColor, bodyColor} = options.plugins.tooltip;
    const contrasts = texts.map((ink) => contrastOf(ink, ground));
    contrasts.push(contrastOf(bodyColor, backgroundColor));
    if (Math.min(...contrasts) < 4.5) pale.push(`${canvas.ariaLabel}: ${contrasts}`);
    const lines = data.datasets.map(({borderColor}) => contrastOf(borderColor, ground));
    if (Math.min(...lines) < 3) pale.push(`${canvas.ariaLabel}, lines: ${lines}`);
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

// Chart.js draws in the next frame.
const settled = (page) => page.evaluate(() => new Promise((resolve) => {
  requestAnimationFrame(() => requestAnimationFrame(resolve));
}));

async function screenshot(page, name, options = {}) {
  if (!screenshots) return;
  await page.screenshot({path: path.join(screenshots, `${name}.png`), fullPage: true, ...options});
}

// Opens the pages and hands over what they complained of and asked for.
async function withBrowser(t, work) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rps-html-'));
  t.after(() => fs.rmSync(folder, {recursive: true, force: true}));
  const browser = await chromium.launchPersistentContext(path.join(folder, 'profile'), {
    executablePath: '/usr/bin/chromium', headless: true, args: flags, viewport: wide,
    acceptDownloads: true, env: {...process.env, HOME: folder}});
  const complaints = [];
  const requests = [];
  const addresses = [];
  // The page of a made-up run, which `edit` may change before it is opened.
  const open = async (name, edit = (html) => html) => {
    const file = path.join(folder, `${name}.html`);
    fs.writeFileSync(file, edit(execFileSync(printer, [name], {maxBuffer: 2 ** 28}).toString()));
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
    addresses.push(pathToFileURL(file).href);
    await page.goto(addresses.at(-1), { timeout: 120_000 });
    return page;
  };
  try {
    await work(open);
    await t.test('asked nobody and complained of nothing', () => {
      assert.deepEqual(complaints, []);
      assert.deepEqual(requests.filter((url) => !url.startsWith('blob:')), addresses);
    });
  } finally {
    await browser.close();
  }
  assert.deepEqual(processesOf(folder), [], 'a process of the browser is left');
}

const idsOf = (page) => page.$$eval('figure', (all) => all.map((each) => each.id));

// The first chart of a figure, and a function of it in the page.
const chartIn = (page, id, ask) => page.evaluate(
    `(${ask})(Chart.getChart(document.querySelector('#${id} .plot canvas')))`);

test('the HTML report in a browser', (t) => withBrowser(t, async (open) => {
  const page = await open('everything');

  await t.test('has every figure, with a title, words and numbers', async () => {
    assert.deepEqual(await idsOf(page), figures);
    const unnamed = await page.$$eval('.plot canvas', (all) => all.filter((canvas) =>
      canvas.getAttribute('role') !== 'img' || !canvas.getAttribute('aria-label')).length);
    assert.equal(unnamed, 0);
    const bare = await page.$$eval('figure', (all) => all.filter((each) =>
      !each.querySelector('figcaption h3')?.textContent ||
      !each.querySelector('figcaption p')?.textContent ||
      !each.querySelector('details tbody th[scope=row]') ||
      !each.querySelector('details thead th[scope=col]')).map((each) => each.id));
    assert.deepEqual(bare, []);
    const links = await page.$$eval('nav a', (all) => all.map((each) => each.hash.slice(1)));
    assert.deepEqual(figures.filter((id) => !links.includes(id)), []);
    assert.deepEqual(await page.evaluate((ids) => ids.filter((id) =>
      !document.getElementById(id)), links), []);
    assert.equal(await page.locator('.missing').count(), 0);
  });

  await t.test('begins with the answer: table, chart, verdicts', async () => {
    const order = await page.evaluate(() => {
      const found = document.querySelectorAll('#table-stages, figure, #claims, nav');
      return [...found].slice(0, 4).map((each) => each.id || each.tagName);
    });
    assert.deepEqual(order, ['table-stages', 'latency-against-throughput', 'claims', 'NAV']);
  });

  await t.test('tells series apart by more than the colour, and shows numbers only', async () => {
    assert.deepEqual(await page.evaluate(wrongSeries), []);
    const words = await page.$$eval('figure td', (all) => all.map((each) => each.textContent)
        .filter((text) => /NaN|Infinity|undefined|null/.test(text)));
    assert.deepEqual(words, []);
  });

  await t.test('marks the knees of the servers that were overloaded', async () => {
    const knees = await chartIn(page, 'latency-against-throughput', (chart) =>
      chart.spec.series.map((each) => each.points.filter((point) => point.ring).length));
    assert.ok(knees.reduce((sum, each) => sum + each) >= 3);
    assert.ok(Math.max(...knees) === 1, 'a line has one knee');
  });

  for (const [name, size] of Object.entries({wide, narrow})) {
    await t.test(`fits a ${name} page`, async () => {
      await page.setViewportSize(size);
      await settled(page);
      assert.ok(await page.evaluate(widthOfPage) <= size.width, 'the page scrolls sideways');
      assert.deepEqual(await page.evaluate(wrongFigures), []);
      await screenshot(page, name, {fullPage: size === wide});
    });
  }

  await t.test('can be read in the light and in the dark', async () => {
    await page.setViewportSize(wide);
    const ground = () => getComputedStyle(document.body).backgroundColor;
    const inkOfChart = () => Chart.getChart(document.querySelector('.plot canvas'))
        .options.scales.x.ticks.color;
    const grounds = [];
    const inks = [];
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({colorScheme});
      await settled(page);
      grounds.push(await page.evaluate(ground));
      inks.push(await page.evaluate(inkOfChart));
      assert.deepEqual(await page.evaluate(paleTexts), [], colorScheme);
      await screenshot(page, colorScheme);
    }
    assert.notEqual(grounds[0], grounds[1]);
    assert.notEqual(inks[0], inks[1]);
    await page.check('#colours-light');
    assert.equal(await page.evaluate(ground), grounds[0]);
    assert.equal(await page.evaluate(inkOfChart), inks[0]);
    await page.emulateMedia({colorScheme: 'light'});
    await page.check('#colours-dark');
    assert.equal(await page.evaluate(ground), grounds[1]);
    assert.equal(await page.evaluate(inkOfChart), inks[1]);
  });

  await t.test('is printed on a light ground, without what paper cannot do', async () => {
    await page.emulateMedia({media: 'print'});
    await settled(page);
    assert.deepEqual(await page.evaluate(paleTexts), []);
    assert.equal(await page.locator('nav').isVisible(), false);
    assert.equal(await page.locator('.colours').isVisible(), false);
    if (screenshots) await page.pdf({path: path.join(screenshots, 'print.pdf'), format: 'A4'});
    await page.emulateMedia({media: null});
  });

  await t.test('shows the value under the pointer', async () => {
    await page.setViewportSize(wide);
    const canvas = page.locator('#latency-against-throughput .plot canvas');
    await canvas.scrollIntoViewIfNeeded();
    const place = await chartIn(page, 'latency-against-throughput', (chart) => {
      const {x, y} = chart.getDatasetMeta(0).data[1];
      return {x, y};
    });
    await canvas.hover({position: place});
    await settled(page);
    const hint = await chartIn(page, 'latency-against-throughput', (chart) =>
      chart.tooltip.opacity > 0 ? chart.tooltip.body[0].lines[0] : 'no hint');
    assert.match(hint, /^\S.* p99: [\d.]+ [nµm]?s \([\d.]+ [nµm]?s–[\d.]+ [nµm]?s\) at [\d.]+k?$/);
  });

  await t.test('switches a subject off and on, and fits the axes to the rest', async () => {
    const state = (chart) => ({shown: chart.getVisibleDatasetCount(), high: chart.scales.y.max});
    const before = await chartIn(page, 'cost', (chart) =>
      ({shown: chart.getVisibleDatasetCount(), high: chart.scales.x.max}));
    const name = page.getByRole('button', {name: 'server, kernel'}).first();
    await name.click();
    assert.equal(await name.getAttribute('aria-pressed'), 'false');
    const off = await chartIn(page, 'cost', (chart) =>
      ({shown: chart.getVisibleDatasetCount(), high: chart.scales.x.max}));
    assert.equal(off.shown, before.shown - 1);
    assert.ok(off.high < before.high);
    await name.click();
    assert.deepEqual(await chartIn(page, 'cost', (chart) =>
      ({shown: chart.getVisibleDatasetCount(), high: chart.scales.x.max})), before);

    // p99 and p50 of a subject go together.
    const both = await chartIn(page, 'latency-against-throughput', state);
    await page.locator('#latency-against-throughput .legend button').first().click();
    const one = await chartIn(page, 'latency-against-throughput', state);
    assert.equal(one.shown, both.shown - 2);
    await page.locator('#latency-against-throughput .legend button').first().click();
  });

  await t.test('zooms to what is dragged over, moves with Shift, and shows all again', async () => {
    const id = 'latency-against-throughput';
    const ranges = ({scales: {x, y}}) => [x.min, x.max, y.min, y.max];
    const canvas = page.locator(`#${id} .plot canvas`);
    await canvas.scrollIntoViewIfNeeded();
    const box = await canvas.boundingBox();
    const drag = async (from, to) => {
      await page.mouse.move(box.x + from * box.width, box.y + from * box.height);
      await page.mouse.down();
      await page.mouse.move(box.x + to * box.width, box.y + to * box.height, {steps: 4});
      await page.mouse.up();
    };
    const whole = await chartIn(page, id, ranges);
    const all = page.locator(`#${id} .reset`);
    assert.equal(await all.isVisible(), false);
    await drag(0.3, 0.6);
    const zoomed = await chartIn(page, id, ranges);
    assert.ok(zoomed[0] > whole[0] && zoomed[1] < whole[1], 'to a part of x');
    assert.ok(zoomed[2] > whole[2] && zoomed[3] < whole[3], 'to a part of y');
    const wrong = await page.evaluate(wrongFigures);
    assert.deepEqual(wrong.filter((text) => text.includes('axis')), []);
    await page.keyboard.down('Shift');
    await drag(0.6, 0.5);
    await page.keyboard.up('Shift');
    const moved = await chartIn(page, id, ranges);
    assert.ok(moved[0] > zoomed[0] && moved[1] > zoomed[1] && moved[2] < zoomed[2]);
    const widths = [moved, zoomed].map(([low, high]) => high - low);
    assert.ok(Math.abs(widths[0] / widths[1] - 1) < 0.01, 'as wide as before');
    await all.click();
    assert.deepEqual(await chartIn(page, id, ranges), whole);
    await drag(0.3, 0.6);
    await canvas.dblclick();
    assert.deepEqual(await chartIn(page, id, ranges), whole);
  });

  await t.test('stacks bars behind each other', async () => {
    const wrong = await chartIn(page, 'cost', (chart) => chart.data.labels.filter((label, row) => {
      let end = chart.scales.x.getPixelForValue(0);
      return chart.getSortedVisibleDatasetMetas().some(({data}, i) => {
        const bar = data[row];
        const width = chart.scales.x.getPixelForValue(chart.spec.series[i].values[row]) -
            chart.scales.x.getPixelForValue(0);
        // The line of the axis takes half a pixel of the first bar.
        const fits = Math.abs(bar.base - end) < 1 && Math.abs(bar.x - bar.base - width) < 1;
        end = bar.x;
        return !fits;
      });
    }));
    assert.deepEqual(wrong, []);
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

  await t.test('shows hostile names as text', async () => {
    const names = await page.locator('#spectrum .legend button').allTextContents();
    assert.ok(names.includes('<script>alert(1)</script>'));
    assert.equal(await page.locator('main script:not([type])').count(), 0);
  });
}));

test('pages of the tables of the gRPC server', (t) => withBrowser(t, async (open) => {
  // Heading and cells of each row of the first table; a line break in a cell is "|".
  const rowsOf = (page) => page.$$eval('main table', ([table]) => {
    const textOf = (cell) => [...cell.childNodes]
        .map((node) => (node.nodeName === 'BR' ? '|' : node.textContent)).join('');
    return [...table.rows].map((row) => [...row.cells].map(textOf));
  });

  await t.test('what each part costs: both figures, and ratios with their intervals', async () => {
    const page = await open('table:stage3');
    assert.ok(await page.locator('#table-stage3').isVisible());
    const [head, ...rows] = await rowsOf(page);
    assert.ok(rows.length >= 12);
    assert.ok(rows.some(([name]) => name.startsWith('write coalescing')));
    const ratios = [...head.keys()].filter((i) => head[i].startsWith('ratio'));
    assert.equal(ratios.length, 2);
    for (const row of rows) {
      assert.equal(row.length, head.length, row[0]);
      for (const i of ratios) assert.match(row[i], /^[\d.]+\|[\d.]+–[\d.]+$/, row[0]);
    }
    await screenshot(page, 'stage3');
  });

  await t.test('four modes at 1,000 connections: beside what is claimed', async () => {
    const page = await open('table:modes1000');
    assert.ok(await page.locator('#table-modes1000').isVisible());
    const [head, ...rows] = await rowsOf(page);
    assert.equal(rows.length, 4);
    const memory = head.indexOf('MB|here');
    for (const row of rows.filter((each) => each.length === head.length)) {
      assert.match(row[memory], /^-?[\d.]+$/, row[0]);
      assert.match(row[1], /^[\d.]+k, p99 \d+ ms/, row[0]);
    }
    await page.setViewportSize(narrow);
    await settled(page);
    assert.ok(await page.evaluate(widthOfPage) <= narrow.width, 'the page scrolls sideways');
  });
}));

test('pages of runs that lack something', (t) => withBrowser(t, async (open) => {
  await t.test('an empty run says what is missing, and how to have it', async () => {
    const page = await open('empty');
    assert.deepEqual(await idsOf(page), []);
    assert.equal(await page.locator('.missing code').count(), figures.length);
    assert.doesNotMatch(await page.innerText('main'), /undefined|NaN|null/);
  });

  await t.test('a run that failed has no figure and says what is missing', async () => {
    const page = await open('failed');
    assert.deepEqual(await idsOf(page), []);
    assert.equal(await page.locator('.missing code').count(), figures.length);
  });

  await t.test('one trial of one cell is enough for its charts', async () => {
    const page = await open('one-trial');
    const ids = await idsOf(page);
    assert.ok(ids.includes('spectrum') && ids.includes('cost') && !ids.includes('trials'));
    assert.deepEqual(await page.evaluate(wrongSeries), []);
    assert.doesNotMatch(await page.innerText('main'), /NaN|Infinity|undefined/);
  });

  await t.test('more subjects than colours: all differ, the surplus is switched off', async () => {
    const page = await open('many-subjects');
    assert.deepEqual(await page.evaluate(wrongSeries), []);
    assert.match(await page.innerText('#spectrum figcaption'), /The first 8 of 10 are switched on/);
    const pressed = await page.$$eval('#spectrum .legend button[aria-pressed]', (all) =>
      all.map((each) => each.getAttribute('aria-pressed')));
    assert.deepEqual(pressed, [...Array(8).fill('true'), 'false', 'false']);
    const rows = await page.locator('#spectrum tbody th').allTextContents();
    assert.ok(rows.some((row) => row.startsWith('s9,')));
  });

  await t.test('without the library there are tables and no charts', async () => {
    const page = await open('everything', (html) => {
      const from = html.indexOf('<script>') + '<script>'.length;
      return html.slice(0, from) + html.slice(html.indexOf('</script>', from));
    });
    assert.deepEqual(await idsOf(page), figures);
    assert.equal(await page.locator('.plot').count(), 0);
    assert.equal(await page.locator('figure details tbody th').count() > figures.length, true);
  });

  await t.test('its axes: round numbers, inside the range, not too many or too few', async () => {
    const page = await open('empty');
    const ticks = (axis, low, high, count) =>
      page.evaluate((all) => ticksOf(...all), [axis, low, high, count]);
    const log = {log: true};
    assert.deepEqual(await ticks({}, 0, 10, 6), [0, 2, 4, 6, 8, 10]);
    assert.deepEqual(await ticks({}, 0, 97, 6), [0, 20, 40, 60, 80]);
    assert.deepEqual(await ticks({}, -3, 3, 8), [-3, -2, -1, 0, 1, 2, 3]);
    assert.deepEqual(await ticks(log, 1, 100, 8), [1, 2, 5, 10, 20, 50, 100]);
    assert.deepEqual(await ticks(log, 1, 1e6, 8), [1, 10, 100, 1e3, 1e4, 1e5, 1e6]);
    assert.deepEqual(await ticks(log, 20, 80, 4), [20, 40, 60, 80]);
    assert.deepEqual(await ticks({ticks: [1, 2, 9]}, 0, 3, 8), [1, 2]);

    const wrong = await page.evaluate(() => {
      const bad = [];
      for (let i = 0; i < 2000; ++i) {
        const low = 10 ** ((i * 7919 % 300) / 10 - 15);
        const high = low * (1.01 + i * 104729 % 1e6);
        for (const axis of [{}, {log: true}]) {
          for (const count of [2, 5, 10]) {
            const all = ticksOf(axis, low, high, count);
            const isAscending = all.every((value, k) => k === 0 || value > all[k - 1]);
            const isInside = all.every((value) => value >= low && value <= high);
            const isFew = all.length < 2 && count >= 5;
            if (all.length > count + 1 || isFew || !isAscending || !isInside) {
              bad.push({axis, low, high, count, all});
            }
          }
        }
      }
      return bad;
    });
    assert.deepEqual(wrong.slice(0, 3), []);
  });

  await t.test('its axes: any values have a range, and what has no place is left out', async () => {
    const page = await open('empty');
    const wrong = await page.evaluate(() => {
      const all = [[], [0], [7], [7, 7, 7], [-7], [NaN, Infinity], [1e-9], [1e18], [1000, 1000.001],
        [null, 3, undefined]];
      return all.flatMap((values) => [{}, {log: true}, {zero: true}].filter((axis) => {
        const [low, high] = boundsOf(axis, values);
        const placed = values.filter((value) => hasPlace(axis, value));
        return !(low < high) || ticksOf(axis, low, high, 8).length < 2 ||
            placed.some((value) => value < low || value > high) || (axis.zero && low > 0);
      }).map((axis) => ({axis, values})));
    });
    assert.deepEqual(wrong, []);
    const places = await page.evaluate(() => [[{}, NaN], [{}, Infinity], [{}, -1], [{log: true}, 0],
      [{log: true}, -1], [{log: true}, 1]].map((each) => hasPlace(...each)));
    assert.deepEqual(places, [false, false, true, false, false, true]);
  });

  await t.test('a value that is missing interrupts the line', async () => {
    const page = await open('everything', (html) => {
      const begin = '<script type="application/json" id="run">';
      const from = html.indexOf(begin) + begin.length;
      const to = html.indexOf('</script>', from);
      const run = JSON.parse(html.slice(from, to));
      for (const trial of run.trials) {
        if (trial.series.length > 5) trial.series[3].max_ns = trial.series[3].p50_ns = 0;
      }
      return html.slice(0, from) + JSON.stringify(run).replaceAll('<', '\\u003c') + html.slice(to);
    });
    const gaps = await page.evaluate(() => {
      const canvases = document.querySelectorAll('#time-series .plot canvas');
      const p50 = Chart.getChart(canvases[1]).getDatasetMeta(0);
      return p50.data.map((each) => each.skip);
    });
    assert.equal(gaps[3], true);
    assert.equal(gaps.filter(Boolean).length, 1);
  });
}));
