// Slices of a test as reconstructions get them, and how images are scored.
import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { cgSense } from '#larmor/solvers/sense.js';
import { type CaseOptions, prepareCase } from '#larmor/studies/case.js';
import { central, transposed } from '#larmor/studies/data.js';
import { phantomSource } from '#larmor/training/sources.js';

function numbered(shape: number[]): ComplexArray {
  const kspace = complexZeros(shape);
  const random = new MT19937(1);
  kspace.data.forEach((_, i) => {
    kspace.data[i] = random.normal();
  });
  return kspace;
}

test('k-space with its axes exchanged', () => {
  const kspace = numbered([2, 3, 5]);
  const turned = transposed(kspace);
  expect(turned.shape).toEqual([2, 5, 3]);
  for (let c = 0; c < 2; c += 1)
    for (let y = 0; y < 3; y += 1)
      for (let x = 0; x < 5; x += 1) {
        const [from, to] = [2 * ((c * 3 + y) * 5 + x), 2 * ((c * 5 + x) * 3 + y)];
        expect([...turned.data.slice(to, to + 2)]).toEqual([...kspace.data.slice(from, from + 2)]);
      }
});

test('the centre of k-space keeps zero frequency in the middle, for even and odd sizes', () => {
  const kspace = complexZeros([1, 6, 7]);
  kspace.data[2 * (3 * 7 + 3)] = 9;
  const cut = central(kspace, [3, 4], 'test');
  expect(cut.shape).toEqual([1, 3, 4]);
  expect(cut.data[2 * (1 * 4 + 2)]).toBe(9);
  expect(() => central(kspace, [8, 4], 'limbs')).toThrow(/limbs: centre \[8,4\] exceeds k-space of \[6,7\]/);
});

const SIZE = 48;
const source = phantomSource({
  families: ['head'],
  subjects: 1,
  slices: 1,
  size: SIZE,
  coils: 4,
  snr: [200, 200],
  seed: 2,
});
const options = (changes: Partial<CaseOptions> = {}): CaseOptions => ({
  calibration: {},
  undersampling: { type: 'random', acceleration: 2, centerFraction: 0.25, fixed: false, seed: 0 },
  reference: 'sense',
  crop: undefined,
  ...changes,
});

describe('a case', () => {
  test('with all samples its own combination is the reference', async () => {
    const full = await source.read(0);
    const whole = { type: 'random', acceleration: 1, centerFraction: 0.99, fixed: false, seed: 0 } as const;
    const { kspace, maps, mask, score } = await prepareCase(full, 1, options({ undersampling: whole }));
    expect(mask.data).not.toContain(0);
    const scores = score(await new EncodingOperator({ maps, mask }).adjoint(kspace));
    expect(scores.ssim).toBeGreaterThan(0.9999);
    expect(scores.nmse).toBeLessThan(1e-6);
  });

  test('hides the samples outside its mask, whose seed decides it, and scores nothing outside the maps', async () => {
    const full = await source.read(0);
    const [first, same, other] = await Promise.all([1, 1, 2].map((seed) => prepareCase(full, seed, options())));
    expect(same.mask.data).toEqual(first.mask.data);
    expect(other.mask.data).not.toEqual(first.mask.data);
    full.data.forEach((value, i) => {
      const expected = first.mask.data[(i >> 1) % SIZE] === 1 ? value : 0;
      if (first.kspace.data[i] !== expected) expect(first.kspace.data[i]).toBe(expected);
    });
    const bright = complexZeros([SIZE, SIZE]);
    bright.data.fill(1);
    const shown = first.shown(bright);
    for (let i = 0; i < SIZE * SIZE; i += 1) {
      const seen = [0, 1, 2, 3].some((c) => first.maps.data[2 * (c * SIZE * SIZE + i)] !== 0);
      if (shown.data[i] > 0 !== seen) expect([i, shown.data[i]]).toEqual([i, seen]);
    }
    expect(shown.data).toContain(0);
  });

  test('against the root sum of squares, cropped', async () => {
    const full = await source.read(0);
    const { kspace, maps, mask, reference, score } = await prepareCase(
      full,
      1,
      options({ reference: 'rss', crop: [20, 30] }),
    );
    expect(reference.shape).toEqual([20, 30]);
    const blank = complexZeros([SIZE, SIZE]);
    expect(score(blank).nmse).toBe(1);
    const better = score((await cgSense(kspace, { maps, mask }, { lambda: 0.005 })).x);
    expect(better.nmse).toBeLessThan(0.1);
  });
});
