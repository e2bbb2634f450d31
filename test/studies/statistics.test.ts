// Spreads, differences, the gap and targets, against numbers worked out by hand.
import { describe, expect, test } from 'vitest';
import { parseStudyConfig } from '#larmor/studies/config.js';
import { gapsClosed } from '#larmor/studies/gap.js';
import { races } from '#larmor/studies/race.js';
import { spreadOf, statisticOf } from '#larmor/studies/spread.js';
import { differences, type TableRow } from '#larmor/studies/table.js';
import { judge } from '#larmor/studies/targets.js';

/** A row of slices that have these SSIMs, matched SSIMs half of them. */
const row = (name: string, ...values: number[]): TableRow => ({
  name,
  producer: { kind: 'zero-filled' },
  variant: 'raw',
  results: [],
  scores: values.map((ssim) => ({ ssim, ssimMatched: ssim / 2, psnr: 40 * ssim, nmse: 1 - ssim })),
});

const phantom = { source: 'phantom', families: ['limb'], subjects: 1 };
const study = parseStudyConfig({
  title: 'gap',
  models: Object.fromEntries(
    ['P-supervised', 'P-joint', 'Q-supervised', 'Q-joint'].map((name) => [name, { file: 'unet-small' }]),
  ),
  recipes: { ttt: {} },
  tests: [{ name: 'test', data: phantom }],
});

const rows = [
  row('P-supervised', 0.8, 0.7),
  row('Q-supervised', 0.9, 0.8),
  row('P-joint', 0.6, 0.5),
  row('P-joint + ttt', 0.89, 0.77),
  row('Q-joint + ttt', 0.87, 0.8),
];

test('mean, deviation over slices, and the worst: the lowest, of errors the highest', () => {
  expect(spreadOf([1, 2, 6], 'ssim')).toEqual({ mean: 3, deviation: Math.sqrt(14 / 3), worst: 1 });
  expect(spreadOf([1, 2, 6], 'nmse').worst).toBe(6);
  const values = [-3, 1, -1];
  expect(statisticOf(values, 'ssim', 'mean')).toBe(-1);
  expect(statisticOf(values, 'ssim', 'worst')).toBe(-3);
  expect(statisticOf(values, 'ssim', 'absolute-mean')).toBe(1);
  expect(statisticOf(values, 'ssim', 'mean-absolute')).toBeCloseTo(5 / 3, 12);
});

test('paired differences are slice by slice', () => {
  const [first, second] = differences(rows[3], rows[4], 'ssim');
  expect(first).toBeCloseTo(0.02, 12);
  expect(second).toBeCloseTo(-0.03, 12);
});

describe('the gap', () => {
  test('by both definitions', () => {
    const [ssim, matched] = gapsClosed(study, rows);
    // (.83 - .75) / (.85 - .75); Q - P adapted: -.02 and .03.
    expect(ssim).toMatchObject({ shift: 'shift', recipe: 'ttt', consistent: false, metric: 'ssim' });
    expect(ssim.gap).toBeCloseTo(0.1, 12);
    expect(ssim.share).toBeCloseTo(0.8, 10);
    expect(ssim.remaining?.ofMeans).toBeCloseTo(0.005, 12);
    expect(ssim.remaining?.ofSlices).toBeCloseTo(0.025, 12);
    expect(matched.gap).toBeCloseTo(0.05, 12);
    expect(matched.share).toBeCloseTo(0.8, 10);
  });

  test('too small to speak of a share, and without the models none at all', () => {
    const near = rows.map((each) => (each.name === 'Q-supervised' ? row(each.name, 0.805, 0.705) : each));
    expect(gapsClosed(study, near)[0]).toMatchObject({ share: undefined, gap: expect.closeTo(0.005, 10) });
    expect(gapsClosed(study, rows.slice(0, 1))).toEqual([]);
  });
});

describe('a race', () => {
  /** Two slices whose SSIM after 10, 20, 30 iterations, a second each ten, is given. */
  const watched = (name: string, ...slices: [number, number, number][]): TableRow => ({
    ...row(`${name}, oracle`, ...slices.map((ssims) => Math.max(...ssims))),
    variant: 'oracle',
    results: slices.map((ssims, slice) => ({
      producer: { kind: 'network', model: 'm' },
      case: { test: 0, slice, mask: 0 },
      digest: '',
      result: {
        scores: {},
        seconds: 9,
        stops: ssims.map((ssim, i) => ({
          iterations: 10 * (i + 1),
          seconds: i + 1,
          scores: { ssim, ssimMatched: 0, psnr: 0, nmse: 0 },
        })),
      },
    })),
  });
  const quick = watched('quick', [0.7, 0.8, 0.9], [0.9, 0.8, 0.7]);
  const slow = watched('slow', [0.5, 0.6, 0.75], [0.5, 0.9, 0.6]);

  test('is to the best that the other ever has, slice by slice', () => {
    // Quick passes slow's .75 after 2 s and its .9 after 1 s; slow needs 3 s and 2 s itself, and never has quick's .9 twice.
    expect(races([quick, slow])).toEqual([
      { of: 'quick', against: 'slow', ssim: expect.closeTo(0.825, 12), theirs: 2.5, ours: 1.5 },
      { of: 'slow', against: 'quick', ssim: expect.closeTo(0.9, 12), theirs: 2, ours: undefined },
    ]);
    const judged = judge(
      [
        { race: 'quick', against: 'slow', atLeast: 1.6 },
        { race: 'slow', against: 'quick', atLeast: 0.1 },
        { race: 'slow', against: 'unwatched', atLeast: 0.1 },
      ],
      [quick, slow],
      [],
    );
    expect(judged.map(({ measured, judgement }) => [measured, judgement])).toEqual([
      [2.5 / 1.5, 'met'],
      [0, 'missed'],
      [undefined, 'unjudged'],
    ]);
  });
});

test('targets: met, missed, and unjudged where there is nothing to judge', () => {
  const { targets } = parseStudyConfig({
    ...study,
    tests: [
      {
        name: 'test',
        data: phantom,
        targets: [
          { of: 'P-joint + ttt', over: 'P-joint', atLeast: 0.28 },
          { of: 'P-joint + ttt', over: 'P-joint', statistic: 'worst', atLeast: 0.28 },
          { of: 'P-joint + ttt', over: 'Q-joint + ttt', statistic: 'absolute-mean', atMost: 0.0051 },
          { of: 'P-joint', metric: 'psnr', atLeast: 22.1 },
          { shareOfGap: 'ttt', atLeast: 0.75, atMost: 0.85 },
          { shareOfGap: 'ttt', consistent: true, atLeast: 0 },
        ],
      },
    ],
  }).tests[0];
  const judged = judge(targets, rows, gapsClosed(study, rows));
  expect(judged.map(({ judgement }) => judgement)).toEqual(['met', 'missed', 'met', 'missed', 'met', 'unjudged']);
  expect(judged[1].text).toBe('worst SSIM of P-joint + ttt over P-joint: at least 0.28');
  expect(judged[1].measured).toBeCloseTo(0.27, 12);
});
