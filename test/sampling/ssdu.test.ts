import { describe, expect, test } from 'vitest';
import { createMask, type SamplingMask, sampledCount } from '#larmor/sampling/mask.js';
import { createPointMask } from '#larmor/sampling/point-mask.js';
import { type SsduKind, type SsduOptions, ssduSplit } from '#larmor/sampling/ssdu.js';

const rows = 96;
const columns = 80;
const lines = createMask({ type: 'random', columns, acceleration: 4, centerFraction: 0.1, seed: 5 });
const points = createPointMask({ shape: [rows, columns], acceleration: 4, center: 10, seed: 5 });

/** Every point of a mask, in rows of `columns`. */
const bits = ({ data, shape }: SamplingMask): Uint8Array =>
  shape.length === 2 ? data : Uint8Array.from({ length: rows * columns }, (_, i) => data[i % columns]);

const sum = (...masks: SamplingMask[]): Uint8Array =>
  bits(masks[0]).map((_, i) => masks.reduce((total, mask) => total + bits(mask)[i], 0));

describe.each<[string, SamplingMask, SsduKind]>([
  ['Gaussian of lines', lines, 'ssdu-gaussian'],
  ['Gaussian of points', points, 'ssdu-gaussian'],
  ['uniform of lines', lines, 'ssdu-uniform'],
  ['uniform of points', points, 'ssdu-uniform'],
])('%s', (_, whole, kind) => {
  const options = { kind, rows, columns, fraction: 0.3, seed: 11 };

  test('is disjoint with the mask as its union', () => {
    const { mask, lossMask } = ssduSplit(whole, options);
    expect(sum(mask, lossMask)).toEqual(bits(whole));
  });

  test('is the same for the same seed and another for another', () => {
    const { lossMask } = ssduSplit(whole, options);
    expect(ssduSplit(whole, options).lossMask.data).toEqual(lossMask.data);
    expect(ssduSplit(whole, { ...options, seed: 12 }).lossMask.data).not.toEqual(lossMask.data);
  });

  test('the network always sees the protected centre', () => {
    for (let seed = 0; seed < 20; ++seed) {
      const { mask } = ssduSplit(whole, { ...options, seed, protectedCenter: 6, center: [50, 41] });
      for (let y = 47; y < 53; ++y)
        for (let x = 38; x < 44; ++x) expect(mask.data[y * columns + x]).toBe(bits(whole)[y * columns + x]);
    }
  });
});

test('the loss looks at 2 of 5: floor of the candidates (uniform), one above the ceiling of all (Gaussian)', () => {
  const samples = sampledCount(lines) * rows;
  const count = (kind: SsduKind): number => sampledCount(ssduSplit(lines, { kind, rows, columns, seed: 3 }).lossMask);
  expect(count('ssdu-uniform')).toBe(Math.floor((samples - 16) * 0.4));
  expect(count('ssdu-gaussian')).toBe(Math.ceil(samples * 0.4) + 1);
});

test('uniform draws every candidate as often as any other', () => {
  // The counts are binomial: their mean square deviation is draws * 0.3 * 0.7, known from n candidates to sqrt(2 / n).
  const drawn = new Float64Array(rows * columns);
  const draws = 100;
  for (let seed = 0; seed < draws; ++seed) {
    const { lossMask } = ssduSplit(lines, { kind: 'ssdu-uniform', rows, columns, fraction: 0.3, seed });
    lossMask.data.forEach((bit, i) => {
      drawn[i] += bit;
    });
  }
  const candidates = Array.from(drawn.filter((count) => count > 0));
  expect(candidates).toHaveLength(sampledCount(lines) * rows - 16);
  const spread = candidates.reduce((total, count) => total + (count - 0.3 * draws) ** 2, 0) / candidates.length;
  expect(Math.abs(spread / (draws * 0.3 * 0.7) - 1)).toBeLessThan(5 * Math.sqrt(2 / candidates.length));
});

test('Gaussian has the spread of drawing normal positions and rejecting repeats', () => {
  // A full mask and a small share: repeats are rare, so positions follow the Gaussian cut at the border, 2 deviations
  // away; its variance is 0.7737 of the uncut one.
  const full = { data: new Uint8Array(rows * columns).fill(1), shape: [rows, columns] } as const;
  let sum = 0;
  let squares = 0;
  let drawn = 0;
  for (let seed = 0; seed < 40; ++seed) {
    const { lossMask } = ssduSplit(full, { kind: 'ssdu-gaussian', rows, columns, fraction: 0.01, seed });
    lossMask.data.forEach((held, i) => {
      if (!held) return;
      const x = (i % columns) - (columns >> 1);
      sum += x;
      squares += x * x;
      ++drawn;
    });
  }
  const deviation = (columns - 1) / 4;
  expect(Math.abs(sum / drawn)).toBeLessThan(1.2);
  expect(squares / drawn / deviation ** 2).toBeCloseTo(0.7737, 1);
});

describe('ssduSplit rejects', () => {
  test.each<[string, Partial<Record<keyof SsduOptions, unknown>>, string, RegExp]>([
    ['fraction 0', { fraction: 0 }, 'ERR_ARGUMENT', /fraction must be inside \(0, 1\), got 0/],
    ['a fraction too small for one sample', { fraction: 1e-6 }, 'ERR_ARGUMENT', /both parts hold samples/],
    ['an unknown kind', { kind: 'rings' }, 'ERR_ARGUMENT', /one of ssdu-gaussian, ssdu-uniform, got rings/],
    [
      'more than there is outside the centre',
      { kind: 'ssdu-gaussian', fraction: 0.999 },
      'ERR_ARGUMENT',
      /unprotected/,
    ],
    ['a protected centre of half a sample', { protectedCenter: 0.5 }, 'ERR_ARGUMENT', /protectedCenter/],
    ['no spread', { widthDivisor: 0 }, 'ERR_ARGUMENT', /widthDivisor/],
    ['a mask of other size', { columns: 81 }, 'ERR_MASK', /80/],
  ])('%s', (_, change, code, message) => {
    const options = { kind: 'ssdu-uniform', rows, columns, seed: 1, ...change } as SsduOptions;
    expect(() => ssduSplit(lines, options)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});
