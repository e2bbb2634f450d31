import { describe, expect, test } from 'vitest';
import { sampledCount } from '#larmor/sampling/mask.js';
import { createPointMask } from '#larmor/sampling/point-mask.js';

const [ROWS, COLUMNS] = [120, 91];

/** Positions of sampled points outside the central block of `side` points. */
function pointsOutside(data: Uint8Array, side: number): (readonly [number, number])[] {
  const inside = (at: number, length: number): boolean =>
    at >= (length - side + 1) >> 1 && at < ((length - side + 1) >> 1) + side;
  return Array.from(data.keys())
    .filter((i) => data[i] === 1)
    .map((i) => [Math.floor(i / COLUMNS), i % COLUMNS] as const)
    .filter(([y, x]) => !(inside(y, ROWS) && inside(x, COLUMNS)));
}

describe.each(['poisson', 'grid', 'random_points'] as const)('%s', (type) => {
  test('samples its central block and nothing but 0 and 1, the same for the same seed', () => {
    const options = { type, shape: [ROWS, COLUMNS], acceleration: 6, center: [12, 9], seed: 3 } as const;
    const { data, shape } = createPointMask(options);
    expect(shape).toEqual([ROWS, COLUMNS]);
    for (let y = 54; y < 66; ++y)
      for (let x = 41; x < 50; ++x) expect(data[y * COLUMNS + x], `row ${y} column ${x}`).toBe(1);
    expect(data.every((bit) => bit <= 1)).toBe(true);
    expect(createPointMask(options).data).toEqual(data);
    expect(createPointMask({ ...options, seed: 8 }).data).not.toEqual(data);
  });

  test('acceleration 1 samples everything', () => {
    const { data } = createPointMask({ type, shape: [16, 20], acceleration: 1, seed: 0 });
    expect(data.every((bit) => bit === 1)).toBe(true);
  });
});

test('random_points meets its acceleration in the mean', () => {
  const mask = createPointMask({ shape: [ROWS, COLUMNS], acceleration: 6, center: 12, seed: 3 });
  // Binomial: 4 standard deviations of about 38 points.
  expect(Math.abs(sampledCount(mask) - (ROWS * COLUMNS) / 6)).toBeLessThan(152);
});

describe('poisson', () => {
  test.each([1.5, 2, 4, 8, 12.5, 40])('has exactly the acceleration %d', (acceleration) => {
    const mask = createPointMask({ type: 'poisson', shape: [ROWS, COLUMNS], acceleration, center: 8, seed: 1 });
    expect(sampledCount(mask)).toBe(Math.round((ROWS * COLUMNS) / acceleration));
  });

  test('keeps points apart, more so at the edge, and leaves no hole', () => {
    const { data } = createPointMask({ type: 'poisson', shape: [ROWS, COLUMNS], acceleration: 8, center: 10, seed: 2 });
    const points = pointsOutside(data, 10);
    const nearest = (y: number, x: number): number =>
      Math.min(...points.filter(([v, u]) => v !== y || u !== x).map(([v, u]) => Math.hypot(v - y, u - x)));
    const radius = ([y, x]: readonly [number, number]): number => Math.hypot((2 * y) / ROWS - 1, (2 * x) / COLUMNS - 1);
    const distances = (from: number, to: number): number[] =>
      points.filter((point) => radius(point) >= from && radius(point) < to).map(([y, x]) => nearest(y, x));
    const smallest = (values: number[]): number => Math.min(...values);
    expect(smallest(distances(0.2, 0.5))).toBeGreaterThan(1);
    expect(smallest(distances(0.9, 2))).toBeGreaterThan(smallest(distances(0.2, 0.5)));
    // Independent points of this density leave holes of over three mean distances.
    for (let y = 0; y < ROWS; y += 3)
      for (let x = 0; x < COLUMNS; x += 3) expect(nearest(y, x)).toBeLessThan(2.5 * Math.sqrt(8));
  });

  test('a centre with more points than the acceleration leaves is refused', () => {
    expect(() => createPointMask({ type: 'poisson', shape: [20, 20], acceleration: 8, center: 8, seed: 1 })).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('grid', () => {
  test.each([
    [4, [40, 60], [2, 2]],
    [6, [40, 60], [2, 3]],
    [6, [60, 40], [3, 2]],
    [5, [40, 60], [1, 5]],
  ] as const)('acceleration %i of %j keeps every %j-th', (acceleration, shape, [a, b]) => {
    const { data } = createPointMask({ type: 'grid', shape, acceleration, seed: 7 });
    const first = data.indexOf(1);
    const [top, left] = [Math.floor(first / shape[1]), first % shape[1]];
    for (let i = 0; i < data.length; i += 1) {
      const [y, x] = [Math.floor(i / shape[1]), i % shape[1]];
      expect(data[i]).toBe((y - top) % a === 0 && (x - left) % b === 0 ? 1 : 0);
    }
  });

  test('a fractional acceleration is refused', () => {
    expect(() => createPointMask({ type: 'grid', shape: [8, 8], acceleration: 2.5, seed: 0 })).toThrow(/integer/);
  });
});

test.each([
  [{ shape: [0, 4] }],
  [{ acceleration: 0.5 }],
  [{ acceleration: Number.NaN }],
  [{ center: 9 }],
  [{ center: [2, 2.5] }],
  [{ type: 'spiral' }],
])('%j is refused', (wrong) => {
  const options = { shape: [8, 8], acceleration: 2, seed: 0, ...wrong };
  expect(() => createPointMask(options as never)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
});
