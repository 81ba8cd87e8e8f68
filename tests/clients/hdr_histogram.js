// HdrHistogram for JavaScript, which we did not write, reads the histograms of the harness, and the
// harness reads its; and both print the same percentiles.
//
//   node hdr_histogram.js BENCH_HDR_TOOL
'use strict';

const assert = require('node:assert/strict');
const {execFileSync} = require('node:child_process');
const test = require('node:test');

const hdr = require('hdr-histogram-js');

const tool = process.argv[2];
const ours = (command, input) => execFileSync(tool, [command], {input, encoding: 'utf8'});

const longest = 2 ** 43 - 1;
const theirs = (values) => {
  const histogram = hdr.build({
    lowestDiscernibleValue: 1, highestTrackableValue: longest, numberOfSignificantValueDigits: 3});
  values.forEach((value) => histogram.recordValue(value));
  return histogram;
};

// Numbers that look random and are the same every time (Park, Miller).
function* uniform(seed) {
  for (let state = seed; ;) {
    state = state * 48271 % 2147483647;
    yield state / 2147483647;
  }
}

// From nanoseconds to hours, and around the places where buckets change.
function samples() {
  const random = uniform(1);
  const next = () => random.next().value;
  const logarithmic = Array.from({length: 20000}, () => Math.floor(2 ** (next() * 43)) - 1);
  const latencies = Array.from({length: 50000}, () => Math.floor(-80000 * Math.log(next())) + 30000);
  const edges = [];
  for (let bit = 0; bit < 43; ++bit) edges.push(2 ** bit - 1, 2 ** bit, 2 ** bit + 1);
  return {
    'one value': [123456],
    'the least and the greatest': [0, longest],
    'edges of buckets': edges,
    'spread over all octaves': logarithmic,
    'as latencies are': latencies,
  };
}

const bucketsOf = (histogram) => {
  const iterator = histogram.recordedValuesIterator;
  iterator.reset();
  const lines = [];
  while (iterator.hasNext()) {
    const {valueIteratedTo, countAddedInThisIterationStep} = iterator.next();
    lines.push(`${valueIteratedTo} ${countAddedInThisIterationStep}`);
  }
  return lines;
};

// The percentiles' lines as numbers, and those of the foot by name.
function parsed(hgrm) {
  const [rows, foot] = [[], {}];
  for (const line of hgrm.split('\n')) {
    if (/^ *\d/.test(line)) rows.push(line.trim().split(/ +/).map(Number));
    for (const [, name, value] of line.matchAll(/(\w[\w ]*\w) *= *([\d.]+)/g)) foot[name] = +value;
  }
  return {rows, foot};
}

// The last digit may be rounded otherwise.
const isNear = (a, b, slack, what) =>
  assert.ok(Math.abs(a - b) <= slack, `${what}: ${a} and ${b}`);

for (const [name, values] of Object.entries(samples())) {
  const histogram = theirs(values);
  const [encoded, ...hgrm] = ours('write', values.join('\n')).split('\n');

  test(`${name}: it reads what we wrote`, () => {
    assert.deepEqual(bucketsOf(hdr.decodeFromCompressedBase64(encoded)), bucketsOf(histogram));
  });

  test(`${name}: we read what it wrote`, () => {
    const read = ours('read', hdr.encodeIntoCompressedBase64(histogram)).trim().split('\n');
    assert.deepEqual(read, bucketsOf(histogram));
  });

  test(`${name}: the percentiles are printed alike`, () => {
    const text = histogram.outputPercentileDistribution(5, 1000);
    assert.equal(hgrm[0], text.split('\n')[0]);
    const [mine, its] = [parsed(hgrm.join('\n')), parsed(text)];
    assert.equal(mine.rows.length, its.rows.length);
    assert.ok(mine.rows.length > 1);
    mine.rows.forEach((row, line) => {
      assert.equal(row.length, its.rows[line].length);
      row.forEach((value, column) =>
        isNear(value, its.rows[line][column], 0.0011 + value * 1e-9, `line ${line}`));
    });
    assert.deepEqual(Object.keys(mine.foot), Object.keys(its.foot));
    assert.equal(mine.foot['Total count'], its.foot['Total count']);
    assert.equal(mine.foot.Buckets, its.foot.Buckets);
    assert.equal(mine.foot.SubBuckets, its.foot.SubBuckets);
    // We know the mean and the greatest value exactly, it those of the buckets.
    for (const about of ['Mean', 'StdDeviation', 'Max']) {
      const slack = 0.002 + 0.001 * Math.max(its.foot.Mean, its.foot[about]);
      isNear(mine.foot[about], its.foot[about], slack, about);
    }
  });
}

test('what is damaged is refused', () => {
  const [encoded] = ours('write', '5\n6\n').split('\n');
  assert.throws(() => execFileSync(tool, ['read'],
    {input: encoded.replace(/.{6}$/, 'AAAAAA'), stdio: 'pipe'}), /not a histogram/);
});
