import { describe, expect, test } from 'vitest';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { fista } from '#larmor/solvers/proximal-gradient.js';
import { noise, relativeError } from '../support/complex.js';

const WEIGHTS = [1, 0.5, 0.25, 0.01];
const diagonal = ({ data, shape }: ComplexArray): ComplexArray => ({
  data: data.map((value, i) => WEIGHTS[(i >> 1) % 4] * value),
  shape,
});

/** Soft-thresholds real and imaginary parts: the proximal map of the sum of |re| + |im|. */
const soft = ({ data, shape }: ComplexArray, step: number): ComplexArray => ({
  data: data.map((value) => Math.sign(value) * Math.max(0, Math.abs(value) - 0.3 * step)),
  shape,
});

describe('fista', () => {
  test('finds the closed form for a diagonal operator, its step from a power iteration', async () => {
    const b = noise([20], 1);
    const wanted = b.data.map(
      (value, i) => (Math.sign(value) * Math.max(0, Math.abs(value) - 0.3)) / WEIGHTS[(i >> 1) % 4],
    );
    const { x, stop, restarts, change } = await fista(diagonal, b, soft, { maxIterations: 2000, tolerance: 1e-7 });
    expect(stop).toBe('tolerance');
    expect(change).toBeLessThanOrEqual(1e-7);
    expect(restarts).toBeGreaterThan(0);
    expect(relativeError(x.data, wanted)).toBeLessThan(1e-4); // 100 is the condition number
  });

  test('counts iterations and reports progress', async () => {
    const seen: number[] = [];
    const options = { step: 1, maxIterations: 4, tolerance: 0, onProgress: (fraction: number) => seen.push(fraction) };
    const { iterations, stop } = await fista(diagonal, noise([8], 2), soft, options);
    expect([iterations, stop]).toEqual([4, 'iterations']);
    expect(seen).toEqual([0.25, 0.5, 0.75, 1]);
  });

  test('refuses steps, shapes and growth without end', async () => {
    const b = noise([8], 3);
    await expect(fista(diagonal, b, soft, { step: 0 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(fista(diagonal, b, () => noise([4], 1), { step: 1 })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    const endless = { step: 50, maxIterations: 1000 };
    await expect(fista(diagonal, b, soft, endless)).rejects.toMatchObject({ code: 'ERR_DIVERGED' });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(fista(diagonal, b, soft, { step: 1, signal })).rejects.toBe(signal.reason);
  });
});
