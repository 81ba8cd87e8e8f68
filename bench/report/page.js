// Draws the figures of figures.js with Chart.js: axes, intervals, names that switch series off,
// zoom, and colours that follow the page. Without Chart.js only the tables of the figures are made.
'use strict';

// ---- Numbers as people read them -----------------------------------------------------------

// Three significant digits.
const digits = (value) => Math.abs(value) >= 100 ? value.toFixed(0) : `${+value.toPrecision(3)}`;

// In the greatest of the units that is not above the value.
function scaled(value, units) {
  const [unit, name] = units.find(([each]) => Math.abs(value) >= each) ?? units.at(-1);
  return digits(value / unit) + name;
}

const formats = {
  number: digits,
  time: (ns) => scaled(ns, [[1e9, ' s'], [1e6, ' ms'], [1e3, ' µs'], [1, ' ns']]),
  micros: (us) => `${digits(us)} µs`,
  rate: (value) => scaled(value, [[1e6, 'M'], [1e3, 'k'], [1, '']]),
  bytes: (value) => scaled(value, [[1e9, ' GB'], [1e6, ' MB'], [1e3, ' kB'], [1, ' B']]),
  percent: (value) => `${digits(value)} %`,
  share: (value) => `${digits(value * 100)} %`,
  times: (value) => `${digits(value)} ×`,
  nines: (value) => `${+(100 * (1 - 10 ** -value)).toFixed(Math.max(1, Math.round(value) - 1))} %`,
};

// ---- Axes ----------------------------------------------------------------------------------

const hasPlace = (axis, value) => Number.isFinite(value) && (!axis.log || value > 0);

// The range of the values, with a little room.
function boundsOf(axis, values) {
  const placed = values.filter((value) => hasPlace(axis, value));
  if (placed.length === 0) return axis.log ? [1, 10] : [0, 1];
  let low = Math.min(...placed);
  let high = Math.max(...placed);
  if (axis.log) {
    const factor = low === high ? 2 : (high / low) ** 0.04;
    return [low / factor, high * factor];
  }
  if (axis.zero) low = Math.min(low, 0);
  const room = 0.05 * (high - low || Math.abs(high) || 1);
  return [axis.zero && low === 0 ? 0 : low - room, high + room];
}

// At most about `count` round numbers between low and high: 1, 2 or 5 times a power of ten.
function ticksOf(axis, low, high, count) {
  const inside = (value) => value >= low && value <= high;
  if (axis.ticks) return axis.ticks.filter(inside);
  const ticks = [];
  if (axis.log && high / low >= 10) {
    const decades = Math.log10(high / low);
    const folds = [[1, 2, 5], [1, 5]].find((each) => each.length * decades <= count) ?? [1];
    const stride = Math.ceil(decades / count);
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power += stride) {
      ticks.push(...folds.map((fold) => fold * 10 ** power).filter(inside));
    }
    return ticks;
  }
  const power = 10 ** Math.floor(Math.log10((high - low) / count));
  const step = power * [1, 2, 5, 10].find((fold) => fold * power >= (high - low) / count);
  for (let i = Math.ceil(low / step); i * step <= high; ++i) ticks.push(i * step);
  return ticks;
}

function scaleOf(axis) {
  return {
    type: axis.log ? 'logarithmic' : 'linear',
    title: {display: true, text: axis.title},
    afterBuildTicks: (scale) => {
      const room = scale.isHorizontal() ? scale.chart.width / 90 : scale.chart.height / 45;
      // With five there are at least two; those that do not fit are skipped.
      const ticks = ticksOf(axis, scale.min, scale.max, Math.max(5, Math.floor(room)));
      scale.ticks = ticks.map((value) => ({value}));
    },
    ticks: {callback: (value) => formats[axis.unit](value), maxRotation: 0},
  };
}

// ---- Colours -------------------------------------------------------------------------------

// What page.css makes of its variables under the colours that are chosen now.
function coloursOfPage() {
  const probe = document.body.appendChild(document.createElement('span'));
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {series: Array.from({length: colorCount + 1}, (_, i) => colour(`c${i}`)),
    ground: colour('ground'), ink: colour('ink'), softInk: colour('soft-ink'),
    grid: colour('grid')};
  probe.remove();
  return found;
}

// Stripes, for the second of two stacks with one colour.
function hatched(colour, ground) {
  const tile = Object.assign(document.createElement('canvas'), {width: 8, height: 8});
  const ctx = tile.getContext('2d');
  ctx.fillStyle = colour;
  ctx.fillRect(0, 0, 8, 8);
  ctx.strokeStyle = ground;
  ctx.lineWidth = 2.5;
  for (const x of [-8, 0, 8]) {
    ctx.moveTo(x, 8);
    ctx.lineTo(x + 8, 0);
  }
  ctx.stroke();
  return ctx.createPattern(tile, 'repeat');
}

const shapes = ['circle', 'rect', 'triangle', 'rectRot', 'star', 'cross', 'crossRot',
  'rectRounded'];
const dashes = [[], [7, 4], [2, 4]];

function paint(chart, colours) {
  chart.colours = colours;
  for (const dataset of chart.data.datasets) {
    const {color, mark, dash} = dataset.series;
    const colour = colours.series[color];
    dataset.borderColor = dataset.pointBackgroundColor = dataset.pointBorderColor = colour;
    dataset.backgroundColor = colour;
    if (dataset.series.values && mark === 1) {
      dataset.backgroundColor = hatched(colour, colours.ground);
    }
    dataset.borderDash = dashes[dash ?? 0];
    dataset.hoverBackgroundColor = dataset.backgroundColor;
  }
  for (const scale of Object.values(chart.options.scales)) {
    scale.ticks.color = scale.title.color = colours.softInk;
    scale.grid = {color: colours.grid, borderColor: colours.softInk, tickLength: 4};
  }
  Object.assign(chart.options.plugins.tooltip, {backgroundColor: colours.ink,
    titleColor: colours.ground, bodyColor: colours.ground});
  chart.update();
  for (const swatch of chart.swatches) drawSwatch(swatch, chart);
}

// ---- Intervals, bands, rings ---------------------------------------------------------------

// A point without an interval interrupts the band.
function drawBand(chart, points, ctx) {
  const {x, y} = chart.scales;
  const runs = [[]];
  for (const point of points) {
    if (point.low > 0 && point.high > 0) runs.at(-1).push(point);
    else runs.push([]);
  }
  ctx.globalAlpha = 0.14;
  for (const run of runs) {
    const edge = (key) => run.map((point) =>
      [x.getPixelForValue(point.x), y.getPixelForValue(point[key])]);
    ctx.beginPath();
    for (const place of [...edge('low'), ...edge('high').reverse()]) ctx.lineTo(...place);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

function drawInterval(chart, {x, y, low, high}, ctx) {
  const isFlat = chart.config.type === 'scatter';
  const at = (onX, onY) =>
    [chart.scales.x.getPixelForValue(onX), chart.scales.y.getPixelForValue(onY)];
  ctx.beginPath();
  ctx.moveTo(...isFlat ? at(low, y) : at(x, low));
  ctx.lineTo(...isFlat ? at(high, y) : at(x, high));
  ctx.lineWidth = isFlat ? 5 : 1.5;
  ctx.globalAlpha = isFlat ? 0.35 : 1;
  ctx.stroke();
  ctx.globalAlpha = 1;
}

const marksBehindData = {
  id: 'marksBehindData',
  beforeDatasetsDraw(chart) {
    if (!chart.colours) return;  // Not yet painted.
    const ctx = chart.ctx;
    const {left, top, width, height} = chart.chartArea;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    chart.data.datasets.forEach(({series}, i) => {
      if (!series.points || !chart.isDatasetVisible(i)) return;
      ctx.fillStyle = ctx.strokeStyle = chart.colours.series[series.color];
      if (series.band) drawBand(chart, series.points, ctx);
      for (const point of series.points) {
        if (!series.band && point.low !== undefined) drawInterval(chart, point, ctx);
        if (!point.ring) continue;
        ctx.beginPath();
        ctx.arc(chart.scales.x.getPixelForValue(point.x), chart.scales.y.getPixelForValue(point.y),
            10, 0, 7);
        ctx.lineWidth = 2;
        ctx.strokeStyle = chart.colours.ink;
        ctx.stroke();
        ctx.strokeStyle = chart.colours.series[series.color];
      }
    });
    ctx.restore();
  },
  afterDraw(chart) {
    if (!chart.selection) return;
    const {left, top, width, height} = chart.selection;
    chart.ctx.fillStyle = chart.colours.softInk;
    chart.ctx.globalAlpha = 0.25;
    chart.ctx.fillRect(left, top, width, height);
    chart.ctx.globalAlpha = 1;
  },
};

// ---- Zoom ----------------------------------------------------------------------------------

const dragLeast = 8;  // Pixels; less is a click.

// A drag zooms to its rectangle, a drag with Shift moves, a double click or the button shows all.
// An axis of names stays as it is.
function addZoom(chart, button) {
  const {canvas} = chart;
  const axes = chart.spec.kind === 'lines' ? ['x', 'y'] : ['x'];
  let start = null;

  const show = (ranges, isWhole = false) => {
    for (const id of axes) Object.assign(chart.options.scales[id], ranges[id]);
    button.hidden = isWhole;
    chart.update();
  };
  chart.showAll = () => show(rangesOf(chart), true);
  const rangeOf = (scale, a, b) => {
    const [min, max] = [a, b].map((pixel) => scale.getValueForPixel(pixel)).sort((u, v) => u - v);
    return {min, max};
  };
  const selected = (event) => {
    const area = chart.chartArea;
    const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
    const sides = (id, from, to, low, high) => {
      if (!axes.includes(id) || Math.abs(to - from) < dragLeast) return [low, high];
      return [clamp(Math.min(from, to), low, high), clamp(Math.max(from, to), low, high)];
    };
    const [left, right] = sides('x', start.x, event.offsetX, area.left, area.right);
    const [top, bottom] = sides('y', start.y, event.offsetY, area.top, area.bottom);
    return {left, top, width: right - left, height: bottom - top};
  };

  canvas.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'mouse' || event.button !== 0) return;
    start = {x: event.offsetX, y: event.offsetY};
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!start) return;
    if (event.shiftKey) {
      const moved = {x: event.offsetX - start.x, y: event.offsetY - start.y};
      const {x, y} = chart.scales;
      show({x: rangeOf(x, x.left - moved.x, x.right - moved.x),
        y: rangeOf(y, y.top - moved.y, y.bottom - moved.y)});
      start = {x: event.offsetX, y: event.offsetY, moved: true};
    } else {
      chart.selection = selected(event);
      chart.draw();
    }
  });
  canvas.addEventListener('pointerup', (event) => {
    const isClick = !start || start.moved || Math.max(Math.abs(event.offsetX - start.x),
        Math.abs(event.offsetY - start.y)) < dragLeast;
    const {left, top, width, height} = chart.selection ?? {};
    chart.selection = null;
    if (isClick) {
      chart.draw();
    } else {
      show({x: rangeOf(chart.scales.x, left, left + width),
        y: rangeOf(chart.scales.y, top, top + height)});
    }
    start = null;
  });
  canvas.addEventListener('dblclick', chart.showAll);
  button.addEventListener('click', chart.showAll);
  chart.showAll();
}

// ---- Charts --------------------------------------------------------------------------------

function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

function datasetOf(series, chart) {
  const common = {series, label: series.name, hidden: series.hidden};
  if (series.values) return {...common, data: series.values, borderWidth: 0, barPercentage: 0.8};
  const isLine = chart.kind === 'lines';
  const count = series.points.length;
  // Of a long line every n-th point has a mark.
  const every = isLine && count > 30 ? Math.floor(count / 8) : 1;
  const hasMark = ({dataIndex}) => series.marks !== false && !series.guide &&
      dataIndex % every === Math.floor(every / 2);
  return {...common, showLine: isLine, borderWidth: series.guide ? 1.25 : 2, pointBorderWidth: 2,
    data: series.points.map(({x, y}) => ({x, y: hasPlace(chart.y ?? {}, y) ? y : null})),
    pointStyle: shapes[series.mark], pointHoverRadius: series.guide ? 0 : 6, pointHitRadius: 0,
    pointRadius: (context) => hasMark(context) ? 4 : 0};
}

function scalesOf(chart) {
  const names = {title: {}, ticks: {autoSkip: false}};
  if (chart.kind === 'bars') {
    return {x: {...scaleOf(chart.x), stacked: true}, y: {...names, stacked: true}};
  }
  if (chart.kind === 'lines') return {x: scaleOf(chart.x), y: scaleOf(chart.y)};
  return {x: scaleOf(chart.x), y: {...names, type: 'linear', reverse: true,
    min: -0.5, max: chart.rows.length - 0.5,
    afterBuildTicks: (scale) => { scale.ticks = chart.rows.map((_, value) => ({value})); },
    ticks: {autoSkip: false, callback: (value) => chart.rows[value]}}};
}

// The ranges of the axes that hold all series which are switched on.
function rangesOf(drawn) {
  const {spec} = drawn;
  const shown = spec.series.filter((series, i) => drawn.isDatasetVisible(i) && !series.guide);
  const range = (axis, values) => {
    const [min, max] = boundsOf(axis, values);
    return {min, max};
  };
  if (spec.kind === 'bars') {
    const sums = spec.rows.map((_, i) => shown.reduce((sum, {values}) => sum + values[i], 0));
    return {x: range(spec.x, sums)};
  }
  const points = shown.flatMap((series) => series.points);
  const ends = (key) => points.flatMap((point) => [point[key], point.low, point.high]);
  if (spec.kind === 'dots') return {x: range(spec.x, ends('x'))};
  return {x: range(spec.x, points.map(({x}) => x)), y: range(spec.y, ends('y'))};
}

// What stands where the pointer rests: "gRPC p99: 1.2 ms (1.1 ms–1.3 ms) at 20k".
function hintOf(chart, {dataset: {series}, dataIndex}) {
  if (chart.kind === 'bars') {
    return `${series.name}: ${formats[chart.x.unit](series.values[dataIndex])}`;
  }
  const {x, y, low, high, text} = series.points[dataIndex];
  if (text) return text;
  const format = formats[chart.y.unit];
  const interval = low === undefined ? '' : ` (${format(low)}–${format(high)})`;
  return `${series.name}: ${format(y)}${interval} at ${formats[chart.x.unit](x)}`;
}

function configOf(chart) {
  const isBars = chart.kind === 'bars';
  return {
    type: isBars ? 'bar' : chart.kind === 'dots' ? 'scatter' : 'line',
    data: {labels: chart.rows, datasets: chart.series.map((series) => datasetOf(series, chart))},
    plugins: [marksBehindData],
    options: {
      animation: false, maintainAspectRatio: false, indexAxis: isBars ? 'y' : 'x',
      devicePixelRatio: Math.max(2, devicePixelRatio),  // Paper shows more than most screens.
      interaction: isBars ? {mode: 'index', axis: 'y', intersect: false} :
        {mode: 'nearest', axis: 'xy', intersect: false},
      scales: scalesOf(chart),
      plugins: {
        legend: {display: false},
        tooltip: {displayColors: false, filter: (item) => !item.dataset.series.guide,
          callbacks: {title: ([item]) => isBars && item ? item.label : '',
            label: (item) => hintOf(chart, item)}},
      },
    },
  };
}

function drawSwatch(canvas, chart) {
  const ctx = canvas.getContext('2d');
  const {color, mark, dash, values, marks, guide} = chart.spec.series[canvas.dataset.index];
  const colour = chart.colours.series[color];
  ctx.setTransform(2, 0, 0, 2, 0, 0);
  ctx.clearRect(0, 0, 26, 14);
  ctx.strokeStyle = ctx.fillStyle = colour;
  if (values) {
    ctx.fillStyle = mark === 1 ? hatched(colour, chart.colours.ground) : colour;
    ctx.fillRect(4, 1, 18, 12);
    return;
  }
  ctx.lineWidth = 2;
  ctx.setLineDash(dashes[dash]);
  ctx.beginPath();
  ctx.moveTo(0, 7);
  ctx.lineTo(26, 7);
  if (chart.spec.kind === 'lines') ctx.stroke();
  ctx.setLineDash([]);
  if (marks === false || guide) return;
  const point = {pointStyle: shapes[mark], radius: 4, rotation: 0, borderWidth: 2};
  Chart.helpers.drawPoint(ctx, point, 13, 7);
}

// A button for each group of series, which switches the group off and on.
function legendOf(chart) {
  const {datasets} = chart.data;
  const buttons = [...new Set(datasets.map(({series}) => series.group))].map((group) => {
    const members = datasets.flatMap(({series}, i) => series.group === group ? [i] : []);
    const swatch = element('canvas', {width: 52, height: 28});
    swatch.dataset.index = members[0];
    chart.swatches.push(swatch);
    const button = element('button', {type: 'button'}, swatch, group);
    const press = (isOn) => button.setAttribute('aria-pressed', isOn);
    press(!datasets[members[0]].hidden);
    button.addEventListener('click', () => {
      const isOn = button.getAttribute('aria-pressed') !== 'true';
      for (const i of members) chart.setDatasetVisibility(i, isOn);
      press(isOn);
      chart.showAll();
    });
    return button;
  });
  return buttons.length > 1 ? buttons : [];
}

const charts = [];

function addChart(chart, parent) {
  const canvas = element('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', chart.label);
  const plot = element('div', {className: 'plot'}, canvas);
  plot.style.height = `${chart.height}px`;
  const legend = element('div', {className: 'legend'});
  const reset = element('button', {type: 'button', className: 'reset', hidden: true}, 'show all');
  parent.append(element('div', {className: `chart ${chart.size ?? ''}`},
      ...chart.size ? [element('h4', {}, chart.label)] : [], legend, plot));
  const drawn = new Chart(canvas, configOf(chart));
  Object.assign(drawn, {spec: chart, swatches: []});
  legend.append(...legendOf(drawn), reset);
  addZoom(drawn, reset);
  charts.push(drawn);
}

// ---- Figures -------------------------------------------------------------------------------

function tableOf({headings, rows}) {
  const heading = (text, i) =>
    element('th', {scope: 'col', className: i > 0 ? 'number' : ''}, text);
  const cell = (text, i) => i === 0 ? element('th', {scope: 'row'}, text) :
    element('td', {className: 'number'}, text);
  return element('div', {className: 'scroll', tabIndex: 0}, element('table', {},
      element('thead', {}, element('tr', {}, ...headings.map(heading))),
      element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map(cell))))));
}

function addFigure(figure, parent) {
  const drawings = element('div', {className: 'charts'});
  parent.append(element('figure', {id: figure.id},
      element('figcaption', {}, element('h3', {}, figure.title), element('p', {}, figure.reading)),
      drawings,
      element('details', {}, element('summary', {}, 'The numbers'), tableOf(figure.table))));
  if (window.Chart) figure.charts.forEach((chart) => addChart(chart, drawings));
}

function addFigures(figures) {
  const [first, ...others] = figures.filter((figure) => figure.charts.length > 0);
  if (first) addFigure(first, document.getElementById('first-figure'));
  const section = document.getElementById('figures');
  for (const figure of others) addFigure(figure, section);
  const missing = figures.filter((figure) => figure.charts.length === 0);
  if (missing.length > 0) {
    section.append(element('h3', {}, 'Charts that this run cannot fill'),
        element('ul', {className: 'missing'}, ...missing.map(({title, command}) => element('li', {},
            `${title}: not in this run; `, element('code', {}, command), ' measures it.'))));
  }
}

// Links to all sections and figures.
function addContents() {
  const linkTo = (id, title) => element('a', {href: `#${id}`}, title);
  for (const heading of document.querySelectorAll('section:not(:has(> h2:only-child)) > h2')) {
    const all = heading.id === 'charts' ? document.querySelectorAll('figure') : [];
    const figures = [...all].map((figure) =>
      element('li', {}, linkTo(figure.id, figure.querySelector('h3').textContent)));
    document.getElementById('contents').append(element('li', {},
        linkTo(heading.id, heading.textContent), element('ul', {}, ...figures)));
  }
}

function paintAll() {
  const colours = coloursOfPage();
  for (const chart of charts) paint(chart, colours);
}

function saveRun() {
  const text = document.getElementById('run').textContent;
  const file = new Blob([text], {type: 'application/json'});
  const link = element('a',
      {href: URL.createObjectURL(file), download: `${JSON.parse(text).id}.json`});
  link.click();
  URL.revokeObjectURL(link.href);
}

// A chart keeps the width of the screen unless it is told that of the paper.
function fitToPaper() {
  const widths = {half: 410, third: 270};
  for (const drawn of charts) drawn.resize(widths[drawn.spec.size] ?? 860, drawn.spec.height);
}

const stored = (id) => JSON.parse(document.getElementById(id).textContent);
if (window.Chart) {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
}
addFigures(figuresOf(stored('run'), stored('spectra')));
addContents();
paintAll();
for (const query of ['(prefers-color-scheme: dark)', 'print']) {
  matchMedia(query).addEventListener('change', paintAll);
}
addEventListener('beforeprint', fitToPaper);
addEventListener('afterprint', () => charts.forEach((drawn) => drawn.resize()));
document.querySelector('.colours').addEventListener('change', paintAll);
document.querySelector('.download').addEventListener('click', saveRun);
