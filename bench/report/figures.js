// What the charts of the report show: each function below makes one figure from the stored run.
//
// A figure is {id, title, reading, command, charts, table}. `reading` tells how to read it and
// `command` what measures its data; without data its `charts` have no series, and it is not shown.
//
// A chart of kind 'lines' or 'dots' has axes x and y and series of points {x, y, low, high, ring};
// `low` and `high` are the interval of y (of x for dots), drawn as a bar through the point or, with
// `band`, as an area along the line. A chart of kind 'bars' has `rows`, series of one value for
// each row, and stacks them. page.js draws all three.
'use strict';

const colorCount = 8;  // In page.css; the colour behind them is grey.
const markCount = 8;   // In page.js.
const shownAtFirst = 8;  // Further subjects begin switched off.

// ---- The run -------------------------------------------------------------------------------

const axis = (title, unit, more = {}) => ({title, unit, ...more});
const logAxis = (title, unit) => axis(title, unit, {log: true});
const zeroAxis = (title, unit) => axis(title, unit, {zero: true});

// The cells of a run with their trials and summaries, and the choices that the charts share.
class Cells {
  constructor(run, spectra) {
    const summaries = new Map(run.summary.map((each) => [each.cell, each]));
    this.all = run.cells.map((cell) => {
      const {connections, depth, schedule} = cell.load;
      const [phase, ...others] = schedule.phases;
      const isSteady = others.length === 0 && phase?.from_per_second === phase?.to_per_second;
      return {...cell, open: connections * depth, isOpenLoop: schedule.phases.length > 0,
        rate: phase && isSteady ? phase.from_per_second : null, load: JSON.stringify(cell.load),
        loadWords: loadWords(cell.load), phases: schedule.phases, arrivals: schedule.arrivals,
        summary: summaries.get(cell.key), spectra: spectra[cell.key] ?? {},
        trials: run.trials.filter((trial) => trial.cell === cell.key)};
    });
    this.subjects = [...this.subjectsOf(false), ...this.subjectsOf(true)];

    const answered = this.all.filter(({trials}) => trials.some((each) => each.response?.count > 0));
    this.closed = answered.filter((cell) => !cell.isOpenLoop);
    this.openLoop = answered.filter((cell) => cell.isOpenLoop);
    this.concurrencies = this.series(this.closed, (cell) => cell.open, () => true);
    this.rates = this.series(this.openLoop, (cell) => cell.rate,
        (a, b) => a.open === b.open && a.arrivals === b.arrivals);
    this.mainClosed = this.oneEach(this.closed, (cell) => cell.loadWords === '64 connections');
    if (this.mainClosed.length === 0) this.mainClosed = this.underSharedLoad(this.closed);
    this.mainOpen = this.mainOpenCells();
  }

  // A subject looks the same in every chart. After eight the colours repeat with other marks.
  subjectsOf(isFloor) {
    const names = new Map(this.all.filter((cell) => cell.is_floor === isFloor)
        .map((cell) => [cell.subject, cell.name]));
    return [...names].map(([key, name], i) => ({key, name,
      color: isFloor ? colorCount : i % colorCount, mark: i + Math.floor(i / colorCount)}));
  }

  subject(cell) {
    return this.subjects.find((each) => each.key === cell.subject);
  }

  // The cell of a stage's floor under the same load, if that was measured.
  floorOf({floor, load}) {
    return this.all.find((each) => each.subject === floor && each.load === load);
  }

  // The first cell of every subject that `wanted` accepts.
  oneEach(cells, wanted) {
    return this.subjects
        .map((subject) => cells.find((cell) => cell.subject === subject.key && wanted(cell)))
        .filter(Boolean);
  }

  // The cells under the load that most subjects share.
  underSharedLoad(cells) {
    const groups = cells.map(({load}) => this.oneEach(cells, (cell) => cell.load === load));
    return groups.reduce((best, each) => each.length > best.length ? each : best, []);
  }

  // One cell for each subject; where they share no load, the middle one of its rates.
  mainOpenCells() {
    const shared = this.underSharedLoad(this.openLoop);
    const any = this.oneEach(this.openLoop, () => true);
    if (shared.length === any.length) return shared;
    return any.map((cell) => {
      const series = this.rates.find(([first]) => first.subject === cell.subject);
      return series ? series[Math.floor(series.length / 2)] : cell;
    });
  }

  // For each subject its cells that have a value and are like its first one, ascending by value.
  series(cells, value, alike) {
    return this.subjects.map(({key}) => {
      const own = cells.filter((cell) => cell.subject === key && value(cell) !== null);
      const like = own.filter((cell) => alike(own[0], cell)).sort((a, b) => value(a) - value(b));
      return like.filter((cell, i) => i === 0 || value(cell) !== value(like[i - 1]));
    }).filter((series) => series.length > 1);
  }
}

// '64 connections', '16 connections × 4 calls', 'poisson arrivals, 2k/s'
function loadWords({connections, depth, schedule: {arrivals, phases}}) {
  if (phases.length > 4) return `${phases.length} phases`;
  const rates = phases.map(({from_per_second: from, to_per_second: to}) =>
    formats.rate(from) + (from === to ? '' : `–${formats.rate(to)}`));
  if (phases.length > 0) return `${arrivals} arrivals, ${rates.join(' → ')}/s`;
  return `${connections} connection${connections === 1 ? '' : 's'}` +
      (depth > 1 ? ` × ${depth} calls` : '');
}

const atLoad = (cells) => cells.length > 0 ? `, ${cells[0].loadWords}` : '';

// ---- Parts of figures ----------------------------------------------------------------------

// The lines of one subject differ in dash and mark: 0 solid, 1 dashed, 2 dotted.
function line(subject, name, points, {dash = 0, ...more} = {}) {
  return {name, group: subject.name, color: subject.color, dash,
    mark: (subject.mark + [0, 4, 2][dash]) % markCount, points, ...more};
}

const grey = (name) => ({name, color: colorCount, mark: 0});

// A point for each cell that has the metric.
function pointsOf(cells, metric, x, factor = 1) {
  return cells.filter((cell) => cell.summary[metric]).map((cell) => {
    const {median, low, high} = cell.summary[metric];
    return {x: x(cell), y: median * factor, low: low * factor, high: high * factor};
  });
}

// Rows of cells, columns of metrics: [heading, metric, unit, 'range' for the interval too].
function metricTable(heading, cells, columns) {
  return {headings: [heading, ...columns.map(([name]) => name)],
    rows: cells.map((cell) => [`${cell.name}, ${cell.loadWords}`, ...columns.map(
        ([, metric, unit, range]) => estimateText(cell.summary[metric], unit, range))])};
}

function estimateText(estimate, unit, range) {
  if (!estimate) return '–';
  const {median, low, high} = estimate;
  const format = formats[unit];
  return format(median) + (range ? ` (${format(low)}–${format(high)})` : '');
}

const load = 'rps-bench load TARGET --rate 1000 --rate 5000';

// ---- Latency against throughput ------------------------------------------------------------

// The first rate at which waiting takes over: p99 beyond five times that of the lowest rate, or
// less than 97 % of the offered rate achieved.
function kneeOf(cells) {
  return cells.find(({summary: {p99_ns: p99, qps, offered_per_second: offered}}) =>
    p99?.median > 5 * cells[0].summary.p99_ns?.median || qps?.median < 0.97 * offered?.median);
}

function latencyAgainstRate(all) {
  const lineOf = (cells, metric, name, dash) => {
    const subject = all.subject(cells[0]);
    const knee = metric === 'p99_ns' ? kneeOf(cells) : null;
    const points = cells.filter((cell) => cell.summary.qps).flatMap((cell) =>
      pointsOf([cell], metric, () => cell.summary.qps.median)
          .map((point) => ({...point, ring: cell === knee})));
    return line(subject, `${subject.name} ${name}`, points, {dash});
  };
  return {
    id: 'latency-against-throughput', title: 'Latency against throughput', command: load,
    reading: 'Each point is one offered rate, placed at the rate that was achieved. While a ' +
      'server keeps up, its line is flat; where the line bends up, calls wait for each other. ' +
      'Solid is p99, dashed p50. A ring marks the first rate whose p99 is more than five times ' +
      'that of the lowest rate, or of which less than 97 % was achieved.',
    charts: [{kind: 'lines', height: 440, label: 'p50 and p99 over good answers a second',
      x: axis('good answers a second', 'rate'), y: logAxis('response time', 'time'),
      series: all.rates.flatMap((cells) =>
        [lineOf(cells, 'p99_ns', 'p99', 0), lineOf(cells, 'p50_ns', 'p50', 1)])}],
    table: metricTable('subject and offered rate', all.rates.flat(), [
      ['achieved', 'qps', 'rate', 'range'], ['p50', 'p50_ns', 'time', 'range'],
      ['p99', 'p99_ns', 'time', 'range'], ['p99.9', 'p999_ns', 'time']]),
  };
}

// ---- Percentile spectrum -------------------------------------------------------------------

const percentiles = ['10', '50', '75', '90', '99', '99.9', '99.99', '99.999'];
const nines = (percentile) => -Math.log10(1 - percentile / 100);

// `kinds` are [key of the spectra, what is put behind the name, dash].
function spectrum(all, cells, kinds) {
  const series = cells.flatMap((cell) => kinds.map(([kind, suffix, dash]) => {
    const points = (cell.spectra[kind] ?? []).map(([x, y, low, high]) => ({x, y, low, high}));
    const subject = all.subject(cell);
    return line(subject, subject.name + suffix, points,
        {dash, band: true, row: `${cell.name}${suffix}, ${cell.loadWords}`});
  }));
  const at = ({points}, x) => points.find((point) => Math.abs(point.x - x) < 1e-6)?.y;
  return {
    charts: [{kind: 'lines', height: 440, label: 'Response time over the percentile',
      x: axis('percentile of the answers', 'nines',
          {ticks: percentiles.filter((each) => each !== '75').map(nines)}),
      y: logAxis('response time', 'time'), series}],
    table: {headings: ['response time', ...percentiles.map((each) => `${each} %`)],
      rows: series.map((each) => [each.row, ...percentiles.map((percentile) => {
        const y = at(each, nines(percentile));
        return y === undefined ? '–' : formats.time(y);
      })])},
  };
}

const spectrumReading = 'Each line tells how long the slowest answers took: at 99 % stands the ' +
  'time that one answer in a hundred exceeds. Lower is better, and flat is steady. The band ' +
  'reaches from the lowest to the highest trial; a line ends where fewer than ten answers of a ' +
  'trial lie above.';

function spectrumClosed(all) {
  return {
    id: 'spectrum', command: 'rps-bench compare', reading: spectrumReading,
    title: `Response times, closed loop${atLoad(all.mainClosed)}`,
    ...spectrum(all, all.mainClosed, [['response', '', 0]]),
  };
}

function spectrumOpen(all) {
  return {
    id: 'spectrum-open', title: 'Response and service times, open loop', command: load,
    reading: spectrumReading + ' Solid is the response time, from when a call was due; dashed ' +
      'the service time, from when it was sent, which leaves out how long the call waited for ' +
      'its turn.',
    ...spectrum(all, all.mainOpen, [['response', '', 0], ['service', ', service', 1]]),
  };
}

// ---- Throughput over concurrency, and over the offered rate --------------------------------

function rateAgainstConcurrency(all) {
  return {
    id: 'qps-against-concurrency', title: 'QPS against concurrency',
    command: 'rps-bench load TARGET --connections 1,8,64',
    reading: 'Each point is a closed loop with so many calls open at once; the bar through it is ' +
      'its interval. The dotted line is perfect scaling: the first point times the number of ' +
      'open calls. Where the points leave it, something is full.',
    charts: [{kind: 'lines', height: 440, label: 'Good answers a second over open calls',
      x: logAxis('calls open at once', 'number'), y: logAxis('good answers a second', 'rate'),
      series: all.concurrencies.flatMap((cells) => {
        const subject = all.subject(cells[0]);
        const points = pointsOf(cells, 'qps', (cell) => cell.open);
        if (points.length < 2) return [];
        const [first, last] = [points[0], points.at(-1)];
        const perfect = [{x: first.x, y: first.y}, {x: last.x, y: first.y * last.x / first.x}];
        return [line(subject, subject.name, points),
          line(subject, `${subject.name}, perfect scaling`, perfect, {dash: 2, guide: true})];
      })}],
    table: metricTable('subject and load', all.concurrencies.flat(), [
      ['QPS', 'qps', 'rate', 'range'], ['p50', 'p50_ns', 'time'], ['p99', 'p99_ns', 'time']]),
  };
}

function goodputAgainstRate(all) {
  const lines = (metric, factor) => all.rates.map((cells) => {
    const subject = all.subject(cells[0]);
    return line(subject, subject.name, pointsOf(cells, metric, (cell) => cell.rate, factor));
  });
  const rates = all.rates.flat().map((cell) => cell.rate);
  const diagonal = [Math.min(...rates), Math.max(...rates)].map((rate) => ({x: rate, y: rate}));
  const allAnswered = rates.length === 0 ? [] :
    [line(grey('everything answered'), 'everything answered', diagonal, {dash: 2, guide: true})];
  const share = (label, title, metric) => ({kind: 'lines', size: 'half', height: 260, label,
    x: zeroAxis('calls offered a second', 'rate'), y: zeroAxis(title, 'percent'),
    series: lines(metric, 100)});
  return {
    id: 'goodput-against-offered', title: 'Goodput against offered load', command: load,
    reading: 'On the dotted diagonal every offered call was answered rightly. Under overload a ' +
      'good server leaves the diagonal to the right and stays level; a server whose line falls ' +
      'works for nobody. Below: the share of the calls that were dropped, and that were refused, ' +
      'wrong or too late.',
    charts: [{kind: 'lines', height: 420, label: 'Good answers a second over offered calls',
      x: zeroAxis('calls offered a second', 'rate'), y: zeroAxis('good answers a second', 'rate'),
      series: [...lines('qps', 1), ...allAnswered]},
    share('Calls that were dropped', 'dropped, % of the calls', 'dropped_share'),
    share('Calls without a right answer', 'not answered rightly, % of the calls', 'error_share')],
    table: metricTable('subject and offered rate', all.rates.flat(), [
      ['good', 'qps', 'rate', 'range'], ['dropped', 'dropped_share', 'share'],
      ['errors', 'error_share', 'share']]),
  };
}

// ---- Bars: what a call costs, and what of it is the transport ------------------------------

function bars(label, unit, rows, series, more = {}) {
  return {kind: 'bars', label, height: 80 + 24 * rows.length, rows, x: zeroAxis(label, unit),
    series, ...more};
}

// Of two stacks of one colour the one with mark 1 is hatched.
const stack = (name, color, mark, values) => ({name, group: name, color, mark, values});

function costOfACall(all) {
  const cells = all.mainClosed;
  const rows = cells.map((cell) => cell.name);
  const values = (metric) => cells.map((cell) => cell.summary[metric]?.median ?? null);
  const small = (label, unit, metric) =>
    bars(label, unit, rows, [stack(label, colorCount, 0, values(metric))], {size: 'third'});
  return {
    id: 'cost', title: `What a call costs${atLoad(cells)}`, command: 'rps-bench compare',
    reading: 'CPU time of server and load for one call: unlike QPS it hardly depends on which of ' +
      'the two was full. Hatched is time in the kernel. Below, of the server alone: context ' +
      'switches and system calls for one call, and the most memory that the server held.',
    charts: [
      bars('CPU time a call', 'micros', rows, [
        stack('server, user', 0, 0, values('cpu_user_us')),
        stack('server, kernel', 0, 1, values('cpu_system_us')),
        stack('load, user', 1, 0, values('load_user_us')),
        stack('load, kernel', 1, 1, values('load_system_us'))]),
      small('context switches a call', 'number', 'switches_per_call'),
      small('system calls a call', 'number', 'syscalls_per_call'),
      small('peak memory of the server', 'bytes', 'rss_peak_bytes')],
    table: metricTable('subject', cells, [
      ['server, user', 'cpu_user_us', 'micros'], ['server, kernel', 'cpu_system_us', 'micros'],
      ['load, user', 'load_user_us', 'micros'], ['load, kernel', 'load_system_us', 'micros'],
      ['server in all', 'cpu_us', 'micros'], ['switches', 'switches_per_call', 'number'],
      ['system calls', 'syscalls_per_call', 'number'], ['peak memory', 'rss_peak_bytes', 'bytes']]),
  };
}

function timeAgainstFloor(all) {
  const pairs = all.all.map((stage) => [stage, all.floorOf(stage)]).filter(([, floor]) => floor);
  const inChart = pairs.filter(([stage]) => all.mainClosed.includes(stage));
  const drawn = inChart.length > 0 ? inChart : pairs;
  const chart = (label, unit, metric) => {
    const medians = drawn.map((pair) => pair.map((cell) => cell.summary[metric]?.median));
    const parts = medians.map(([stage, floor]) => stage === undefined || floor === undefined ?
      [null, null] : [Math.min(stage, floor), Math.max(0, stage - floor)]);
    return bars(label, unit, drawn.map(([stage]) => stage.key), [
      stack('floor of the transport', colorCount, 1, parts.map(([floor]) => floor)),
      stack('the rest', 0, 0, parts.map(([, rest]) => rest))], {size: 'half'});
  };
  const text = (cell, metric, unit) => estimateText(cell.summary[metric], unit, 'range');
  return {
    id: 'floor', title: 'What is ours, and what is the transport’s', command: 'rps-bench compare',
    reading: 'Hatched grey is the floor: the same bytes over the same transport with nothing ' +
      'behind them. The rest is what framework and game add. A stage that is below its floor ' +
      'within the noise shows no rest.' + (drawn.length < pairs.length ?
        ` The charts show ${drawn[0][0].loadWords}; the table has all.` : ''),
    charts: [chart('CPU time of the server a call', 'micros', 'cpu_us'),
      chart('mean response time', 'time', 'mean_ns')],
    table: {headings: ['stage and floor', 'CPU a call', 'floor', 'mean time', 'floor'],
      rows: pairs.map(([stage, floor]) => [`${stage.key} over ${floor.name}`,
        text(stage, 'cpu_us', 'micros'), text(floor, 'cpu_us', 'micros'),
        text(stage, 'mean_ns', 'time'), text(floor, 'mean_ns', 'time')])},
  };
}

// ---- Over time -----------------------------------------------------------------------------

const intervalsLeast = 5;  // A trial with fewer shows no course.
const rowsMost = 120;      // In the table; of a longer trial every n-th interval.

// The longest trial of every subject, valid or not; of equal ones one under a main load.
function longestTrials(all) {
  const main = new Set([...all.mainClosed, ...all.mainOpen]);
  return all.subjects.map((subject) => all.all.filter((cell) => cell.subject === subject.key)
      .flatMap((cell) => cell.trials.map((trial) => ({subject, cell, series: trial.series})))
      .filter(({series}) => series.length >= intervalsLeast)
      .sort((a, b) => b.series.length - a.series.length || main.has(b.cell) - main.has(a.cell))[0])
      .filter(Boolean);
}

function courseCharts({subject, cell, series}) {
  const course = (name, dash, value, more = {}) => {
    const points = series.map((each) =>
      ({x: each.begins_seconds + each.seconds / 2, y: value(each)}));
    return line({...subject, name}, name, points, {dash, marks: false, ...more});
  };
  const perSecond = (count, each) => each.seconds > 0 ? count / each.seconds : null;
  const failed = (each) => each.dropped + each.bad;
  let begins = 0;
  const offered = cell.phases.flatMap((phase) => [
    {x: begins, y: phase.from_per_second}, {x: begins += phase.seconds, y: phase.to_per_second}]);
  const spread = (each) => each.max_ns > 0 ? {low: each.p50_ns, high: each.max_ns} : {};
  const p99 = course('p99', 1, (each) => each.p99_ns, {band: true});
  p99.points = p99.points.map((point, i) => ({...point, ...spread(series[i])}));
  const chart = (what, y, lines) => ({kind: 'lines', size: 'half', height: 220,
    label: `${subject.name}: ${what}`, x: axis('seconds', 'number'), y, series: lines});
  return [
    chart(cell.loadWords, zeroAxis('calls a second', 'rate'), [
      course('good', 0, (each) => perSecond(each.good, each)),
      line(grey('offered'), 'offered', offered, {dash: 2, marks: false}),
      ...series.some(failed) ?
        [course('dropped, wrong', 1, (each) => perSecond(failed(each), each))] : []]),
    chart('response time', logAxis('response time', 'time'), [
      course('p50', 0, (each) => each.p50_ns), p99, course('max', 2, (each) => each.max_ns)]),
  ];
}

function timeSeries(all) {
  const courses = longestTrials(all);
  const rows = courses.flatMap(({subject, series}) => {
    const stride = Math.ceil(series.length / rowsMost);
    return series.filter((each, i) => i % stride === 0).map((each) => [
      subject.name, formats.number(each.begins_seconds),
      formats.rate(each.good / (each.seconds || 1)),
      `${each.dropped}`, `${each.bad}`, ...['p50_ns', 'p99_ns', 'max_ns'].map(
          (time) => each.max_ns > 0 ? formats.time(each[time]) : '–')]);
  });
  return {
    id: 'time-series', title: 'Over time', command: 'rps-bench overload TARGET',
    reading: 'The longest trial of each subject, interval by interval. Left the calls a second: ' +
      'good, offered (dotted), dropped or wrong (dashed). Right the response times: the band ' +
      'reaches from p50 over p99 to the slowest answer; a gap is an interval without an answer.' +
      (courses.length > shownAtFirst ?
        ` The first ${shownAtFirst} of ${courses.length} are drawn; the table has all.` : ''),
    charts: courses.slice(0, shownAtFirst).flatMap(courseCharts),
    table: {rows,
      headings: ['subject', 'second', 'good/s', 'dropped', 'wrong', 'p50', 'p99', 'max']},
  };
}

// ---- Every trial ---------------------------------------------------------------------------

function everyTrial(all) {
  const values = (cell, metric) => cell.trials.filter((trial) => trial.valid)
      .map((trial) => trial.figures[metric]).filter((value) => Number.isFinite(value));
  const cells = [...all.closed, ...all.openLoop].filter((cell) => values(cell, 'qps').length > 1);
  // The interval of the median stands with the first dot of a row.
  const dots = (name, place, metric, unit) => line({name, color: place, mark: place}, name,
      cells.flatMap((cell, row) => {
        const {median, low, high} = cell.summary[metric] ?? {};
        if (!(median > 0)) return [];
        return values(cell, metric).map((value, i) => ({x: value / median,
          y: row + 0.3 * (place - 0.5),  // Side by side.
          text: `${cell.key}: ${name} ${formats[unit](value)}`,
          ...(i === 0 ? {low: low / median, high: high / median} : {})}));
      }));
  const texts = (cell, metric, unit) => values(cell, metric).map(formats[unit]).join(', ') || '–';
  return {
    id: 'trials', title: 'Every trial', command: 'rps-bench compare',
    reading: 'A row is a cell and a dot is one trial, as a multiple of the cell’s median. The ' +
      'bar is the interval of the median. Two clouds in a row are two states of a server, which ' +
      'a mean would hide.',
    charts: [{kind: 'dots', height: 90 + 24 * cells.length, label: 'QPS and p99 of every trial',
      rows: cells.map((cell) => cell.key), x: logAxis('times the median of the cell', 'times'),
      series: [dots('QPS', 0, 'qps', 'rate'), dots('p99', 1, 'p99_ns', 'time')]}],
    table: {headings: ['cell', 'QPS of each trial', 'p99 of each trial'],
      rows: cells.map((cell) =>
        [cell.key, texts(cell, 'qps', 'rate'), texts(cell, 'p99_ns', 'time')])},
  };
}

// ---- All figures ---------------------------------------------------------------------------

// In the order of the page. Without data a figure has no charts; series without points are left
// out; of many subjects the first are switched on.
function figuresOf(run, spectra) {
  const all = new Cells(run, spectra);
  const figures = [latencyAgainstRate(all), spectrumClosed(all), spectrumOpen(all),
    rateAgainstConcurrency(all), goodputAgainstRate(all), costOfACall(all),
    timeAgainstFloor(all), timeSeries(all), everyTrial(all)];
  for (const figure of figures) {
    for (const chart of figure.charts) {
      chart.series = chart.series.filter(({points, values}) =>
        points ? points.length > 0 : values.some((value) => value !== null));
      const groups = [...new Set(chart.series.map((each) => each.group))];
      for (const series of chart.series) {
        series.hidden = groups.indexOf(series.group) >= shownAtFirst;
      }
      if (groups.length > shownAtFirst && !figure.reading.includes('switched on')) {
        figure.reading += ` The first ${shownAtFirst} of ${groups.length} are switched on; ` +
          'the names above the chart switch the others on.';
      }
    }
    figure.charts = figure.charts.filter((chart) => chart.series.length > 0);
  }
  return figures;
}
