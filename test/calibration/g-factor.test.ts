import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { senseGFactor } from '#larmor/calibration/g-factor.js';
import type { NoiseCovariance } from '#larmor/calibration/noise.js';
import { noise } from '../support/complex.js';
import { columnsWhere } from '../support/masks.js';

const diagonal = (...variances: number[]): NoiseCovariance => {
  const coils = variances.length;
  const matrix = new Float64Array(2 * coils * coils);
  variances.forEach((variance, i) => {
    matrix[2 * i * (coils + 1)] = variance;
  });
  return { matrix, coils, samples: 1, condition: 1, warnings: [] };
};

/** Two coils, one row of two pixels that alias: the columns of S are (cos a, sin a) and (cos b, sin b). */
function twoCoils(a: number, b: number): ComplexArray {
  const maps = complexZeros([2, 1, 2]);
  [Math.cos(a), Math.cos(b), Math.sin(a), Math.sin(b)].forEach((value, i) => {
    maps.data[2 * i] = value;
  });
  return maps;
}

describe('senseGFactor', () => {
  test('of two coils at R = 2 is 1 / sin of the angle between the pixels', async () => {
    for (const [a, b] of [
      [0, Math.PI / 2],
      [0.2, 0.9],
      [0, 0.1],
    ]) {
      const { data, shape } = await senseGFactor(twoCoils(a, b), 2);
      expect(shape).toEqual([1, 2]);
      // Maps are float32: 1e-7 of a g that depends on the difference of nearly equal columns.
      for (const g of data) expect(Math.abs(g * Math.sin(b - a) - 1)).toBeLessThan(1e-5);
    }
  });

  test('of two coils of unequal noise weighs them', async () => {
    const [a, b] = [0.2, 0.9];
    const { data } = await senseGFactor(twoCoils(a, b), 2, { covariance: diagonal(1, 4) });
    // Whitened columns (cos, sin / 2).
    const [p, q] = [a, b].map((angle) => [Math.cos(angle), Math.sin(angle) / 2]);
    const dot = (x: number[], y: number[]): number => x[0] * y[0] + x[1] * y[1];
    const wanted = 1 / Math.sqrt(1 - dot(p, q) ** 2 / (dot(p, p) * dot(q, q)));
    for (const g of data) expect(g).toBeCloseTo(wanted, 5);
  });

  test('is 1 without undersampling, 0 outside the object, and infinite where coils see the same', async () => {
    const maps = noise([3, 4, 6], 1);
    const { data } = await senseGFactor(maps, 1);
    for (const g of data) expect(g).toBeCloseTo(1, 6);
    for (let coil = 0; coil < 3; coil += 1) maps.data.fill(0, 2 * (24 * coil + 8), 2 * (24 * coil + 10));
    const holed = await senseGFactor(maps, 3);
    expect([holed.data[8], holed.data[9]]).toEqual([0, 0]);
    expect(Math.min(...holed.data.filter((_, i) => i < 8 || i > 9))).toBeGreaterThanOrEqual(1 - 1e-6);
    const same = await senseGFactor(twoCoils(0.5, 0.5), 2);
    expect([...same.data]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  test('knows its sampling in masks', async () => {
    const maps = noise([6, 8, 12], 2);
    const lines = await senseGFactor(maps, 3);
    expect(
      await senseGFactor(
        maps,
        columnsWhere(12, (x) => x % 3 === 2),
      ),
    ).toEqual(lines);
    const lattice = Uint8Array.from({ length: 96 }, (_, i) => (Math.floor(i / 12) % 2 === 1 && i % 3 === 0 ? 1 : 0));
    expect(await senseGFactor(maps, { data: lattice, shape: [8, 12] })).toEqual(await senseGFactor(maps, [2, 3]));
  });

  test('is bit-equal for any number of threads', async () => {
    const maps = noise([5, 30, 24], 3);
    const [one, three] = await Promise.all([1, 3].map((threads) => senseGFactor(maps, 4, { threads })));
    expect(three).toEqual(one);
  });

  const python = '/usr/bin/python3';
  test.skipIf(!hasNumpy(python))('agrees with NumPy: 6 coils, Ry = 2, Rx = 3, coupled noise', async () => {
    const [coils, ny, nx] = [6, 4, 6];
    const maps = noise([coils, ny, nx], 4);
    const mix = noise([coils, coils], 5).data;
    const matrix = new Float64Array(2 * coils * coils);
    for (let i = 0; i < coils; i += 1)
      for (let j = 0; j < coils; j += 1)
        for (let k = 0; k < coils; k += 1) {
          const [p, q, to] = [2 * (i * coils + k), 2 * (j * coils + k), 2 * (i * coils + j)];
          matrix[to] += mix[p] * mix[q] + mix[p + 1] * mix[q + 1];
          matrix[to + 1] += mix[p + 1] * mix[q] - mix[p] * mix[q + 1];
        }
    const covariance = { matrix, coils, samples: 1, condition: 1, warnings: [] };
    const program = `
import sys, json, numpy as np
d = json.load(sys.stdin)
c = lambda v, *s: (np.array(v[::2]) + 1j * np.array(v[1::2])).reshape(s)
S, P = c(d["maps"], 6, 4, 6), np.linalg.inv(c(d["covariance"], 6, 6))
g = np.zeros((4, 6))
for y in range(2):
    for x in range(2):
        at = [((y + 2 * i), (x + 2 * j)) for i in range(2) for j in range(3)]
        A = np.array([S[:, a, b] for a, b in at]).T
        N = A.conj().T @ P @ A
        for (a, b), v in zip(at, np.sqrt((np.diag(np.linalg.inv(N)) * np.diag(N)).real)): g[a, b] = v
print(json.dumps(g.ravel().tolist()))`;
    const input = JSON.stringify({ maps: [...maps.data], covariance: [...matrix] });
    const wanted: number[] = JSON.parse(execFileSync(python, ['-c', program], { input }).toString());
    const { data } = await senseGFactor(maps, [2, 3], { covariance });
    // Six unknowns of six coils: maps whitened in float32, amplified by g.
    data.forEach((g, i) => {
      expect(Math.abs(g / wanted[i] - 1)).toBeLessThan(1e-6 * wanted[i] ** 2 + 1e-5);
    });
  });

  test('refuses what has no answer', async () => {
    const maps = noise([3, 4, 8], 6);
    await expect(senseGFactor(maps, 4)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('at most 3'),
    });
    for (const acceleration of [3, 0, -2, 1.5, Number.NaN])
      await expect(senseGFactor(maps, acceleration)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    const centred = columnsWhere(8, (x) => x % 2 === 0 || x === 3);
    await expect(senseGFactor(maps, centred)).rejects.toMatchObject({ code: 'ERR_MASK' });
    await expect(senseGFactor(maps, 2, { covariance: diagonal(1, 1) })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    await expect(senseGFactor(maps, 2, { covariance: diagonal(1, 1, 0) })).rejects.toMatchObject({ code: 'ERR_NOISE' });
    await expect(senseGFactor(noise([3, 4], 1), 2)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    maps.data[5] = Number.NaN;
    await expect(senseGFactor(maps, 2)).rejects.toMatchObject({ code: 'ERR_NOT_FINITE' });
  });
});

function hasNumpy(python: string): boolean {
  try {
    execFileSync(python, ['-c', 'import numpy'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
