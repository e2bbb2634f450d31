// ESPIRiT on coils known in closed form: sets, sizes, weights, aborts, refusals.
import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { espirit } from '#larmor/calibration/espirit.js';
import { renderPhantom } from '#larmor/simulation/phantom.js';
import { simulateScan } from '#larmor/simulation/scan.js';
import { sameBits } from '../support/bits.js';
import { correlations, energy, mean, polynomialCoils } from '../support/coils.js';
import { relativeError } from '../support/complex.js';

describe('espirit', () => {
  test.each([
    { coils: 4, ny: 24, nx: 20 },
    { coils: 3, ny: 21, nx: 33 },
    { coils: 12, ny: 17, nx: 17 },
  ])('recovers sensitivities known in closed form: $coils coils, $ny x $nx', async ({ coils, ny, nx }) => {
    const { kspace, maps: wanted } = polynomialCoils(coils, ny, nx, 10 * coils);
    const { maps, eigenvalues } = await espirit(kspace, { threshold: 1e-10, iterations: 1000 });
    expect(maps.shape).toEqual([1, coils, ny, nx]);
    expect(Math.min(...correlations(wanted, maps))).toBeGreaterThan(0.9999);
    expect(Math.max(...eigenvalues.data.map((value) => Math.abs(value - 1)))).toBeLessThan(1e-4);
    expect(Math.max(...energy(maps).map((e) => Math.abs(e - 1)))).toBeLessThan(1e-6);
  });

  test('several sets are orthogonal, ordered, and begin with the single set', async () => {
    const [coils, ny, nx] = [5, 24, 30];
    const { kspace } = polynomialCoils(coils, ny, nx, 3);
    const options = { calibrationSize: 12, kernel: 4, crop: 0, threshold: 0.05, iterations: 500 };
    const one = await espirit(kspace, options);
    const { maps, eigenvalues } = await espirit(kspace, { ...options, sets: 3 });
    const plane = ny * nx;
    const set = (s: number): ComplexArray => ({
      data: maps.data.subarray(2 * s * coils * plane, 2 * (s + 1) * coils * plane),
      shape: [coils, ny, nx],
    });
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ])
      expect(Math.max(...correlations(set(p), set(q)))).toBeLessThan(1e-5);
    for (let p = 0; p < plane; p += 1) {
      expect(eigenvalues.data[p]).toBeGreaterThanOrEqual(eigenvalues.data[plane + p]);
      expect(Math.abs(eigenvalues.data[p] - one.eigenvalues.data[p])).toBeLessThan(1e-3);
    }
    expect(mean(correlations(set(0), one.maps))).toBeGreaterThan(0.999);
  });

  test('one coil gives a map of one on the object', async () => {
    const { kspace } = polynomialCoils(1, 24, 24, 4);
    const { maps } = await espirit(kspace, { crop: 0.5 });
    const values = maps.data.filter((_, i) => i % 2 === 0);
    expect(values.every((re) => re === 0 || Math.abs(re - 1) < 1e-6)).toBe(true);
    expect(Math.max(...maps.data.filter((_, i) => i % 2 === 1).map(Math.abs))).toBeLessThan(1e-6);
  });

  test('a dead first coil gets a map of zero and leaves the others as they are', async () => {
    const [ny, nx] = [24, 24];
    const { kspace } = polynomialCoils(4, ny, nx, 5);
    const dead = complexZeros([5, ny, nx]);
    dead.data.set(kspace.data, 2 * ny * nx);
    const options = { threshold: 1e-10, iterations: 1000 };
    const { maps } = await espirit(dead, options);
    const { maps: wanted } = await espirit(kspace, options);
    const rest = { data: maps.data.subarray(2 * ny * nx), shape: [4, ny, nx] };
    expect(Math.max(...maps.data.subarray(0, 2 * ny * nx).map(Math.abs))).toBeLessThan(1e-3);
    expect(Math.min(...correlations(rest, wanted))).toBeGreaterThan(0.9999);
  });

  test('is bit-equal for any number of threads', async () => {
    const { kspace } = polynomialCoils(6, 50, 40, 6);
    const [one, two, five] = await Promise.all([1, 2, 5].map((threads) => espirit(kspace, { threads, sets: 2 })));
    for (const other of [two, five]) {
      expect(sameBits(other.maps.data, one.maps.data)).toBe(true);
      expect(sameBits(other.eigenvalues.data, one.eigenvalues.data)).toBe(true);
    }
  });

  test('follows an echo that is off centre along the readout', async () => {
    const { kspace } = polynomialCoils(2, 40, 24, 7);
    const [, ny, nx] = kspace.shape;
    kspace.data.forEach((value, i) => {
      const y = Math.floor(i / (2 * nx)) % ny;
      kspace.data[i] = value * (y >= 5 && y < 17 ? 100 : 1);
    });
    const { calibration } = await espirit(kspace, { calibrationSize: 12 });
    expect(calibration).toEqual({ row: 5, rows: 12, column: 6, columns: 12 });
  });

  test('takes data without noise, whose signal space has no clear end', async () => {
    const volume = await renderPhantom({ family: 'head', seed: 1, size: 64 });
    const { kspace, maps } = await simulateScan(volume, { coils: 8, snr: Number.POSITIVE_INFINITY, seed: 1 });
    const shape = kspace.shape.slice(1);
    const estimate = await espirit({ data: kspace.data, shape });
    // Correlation with the true maps in the middle of the head.
    const [plane, pixel] = [64 * 64, 32 * 64 + 32];
    let [re, im] = [0, 0];
    for (let at = 2 * pixel; at < maps.data.length; at += 2 * plane) {
      const [a, b, c, d] = [maps.data[at], maps.data[at + 1], estimate.maps.data[at], estimate.maps.data[at + 1]];
      re += a * c + b * d;
      im += a * d - b * c;
    }
    expect(Math.hypot(re, im)).toBeGreaterThan(0.999);
  });

  test('maps at other sizes are those of k-space where pixels coincide', async () => {
    const { kspace } = polynomialCoils(4, 24, 20, 11);
    const options = { threshold: 1e-10, iterations: 1000 };
    const { maps } = await espirit(kspace, options);
    const fine = await espirit(kspace, { ...options, matrix: [48, 60] });
    expect(fine.maps.shape).toEqual([1, 4, 48, 60]);
    const same = { shape: [4, 24, 20], data: new Float32Array(maps.data.length) };
    for (let i = 0; i < maps.data.length / 2; i += 1) {
      const [c, y, x] = [Math.floor(i / 480), Math.floor(i / 20) % 24, i % 20];
      const from = 2 * ((c * 48 + 2 * y) * 60 + 3 * x);
      same.data.set(fine.maps.data.subarray(from, from + 2), 2 * i);
    }
    expect(relativeError(same.data, maps.data)).toBeLessThan(1e-4);
  });

  test('soft weights fall smoothly with the eigenvalue', async () => {
    const { kspace } = polynomialCoils(5, 24, 30, 12);
    const options = { calibrationSize: 12, kernel: 4, threshold: 0.05, crop: 0.7, sets: 2 } as const;
    const hard = await espirit(kspace, options);
    const soft = await espirit(kspace, { ...options, weighting: 'soft' });
    expect(sameBits(soft.eigenvalues.data, hard.eigenvalues.data)).toBe(true);
    const plane = 24 * 30;
    for (let set = 0; set < 2; set += 1) {
      const [cut, weighted] = [energy(hard.maps, set), energy(soft.maps, set)];
      for (let p = 0; p < plane; p += 1) {
        const value = hard.eigenvalues.data[set * plane + p];
        const t = Math.min(1, Math.max(0, (Math.sqrt(value) - 0.4) / 0.6)); // from 2 crop - 1 to 1
        expect(Math.abs(Math.sqrt(weighted[p]) - t * t * (3 - 2 * t))).toBeLessThan(1e-5);
        expect(Math.abs(cut[p] - (value > 0.7 ? 1 : 0))).toBeLessThan(1e-5);
      }
    }
  });

  test('stops on abort while it searches the patch space', async () => {
    const { kspace } = polynomialCoils(8, 64, 64, 13);
    const reason = new Error('enough');
    const controller = new AbortController();
    // 2025 patches: seconds of eigenvectors before the first step is counted.
    let steps = 0;
    const onProgress = (fraction: number): void => {
      if (fraction > 0) steps += 1;
    };
    const options = { calibrationSize: 60, kernel: 16, matrix: [4, 4] } as const;
    const running = espirit(kspace, { ...options, signal: controller.signal, threads: 1, onProgress });
    setTimeout(() => controller.abort(reason), 50);
    await expect(running).rejects.toBe(reason);
    expect(steps).toBe(0);
  });

  test('reports progress and stops on abort', async () => {
    const { kspace } = polynomialCoils(8, 256, 256, 8);
    const reason = new Error('enough');
    await expect(espirit(kspace, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const running = espirit(kspace, { signal: controller.signal, threads: 1, iterations: 10_000, threshold: 0.01 });
    setTimeout(() => controller.abort(reason), 1);
    await expect(running).rejects.toBe(reason);
  });

  describe('refuses', () => {
    const { kspace } = polynomialCoils(2, 16, 16, 9);
    const [, ny, nx] = kspace.shape;
    const keepColumns = (from: number, to: number): ComplexArray => ({
      data: kspace.data.map((value, i) => ((i >> 1) % nx >= from && (i >> 1) % nx < to ? value : 0)),
      shape: kspace.shape,
    });

    test('a centre smaller than the kernel', async () => {
      await expect(espirit(keepColumns(6, 10))).rejects.toMatchObject({
        code: 'ERR_CALIBRATION',
        message: expect.stringContaining('16 x 4'),
      });
      await expect(espirit(keepColumns(0, 5))).rejects.toMatchObject({ code: 'ERR_CALIBRATION' });
    });

    test('k-space of zeros, with or without a mask', async () => {
      const mask = { data: new Uint8Array(nx).fill(1), shape: [nx] as const };
      for (const options of [{}, { mask }])
        await expect(espirit(complexZeros(kspace.shape), options)).rejects.toMatchObject({ code: 'ERR_CALIBRATION' });
    });

    test('values that are not finite', async () => {
      const bad = { data: kspace.data.slice(), shape: kspace.shape };
      bad.data[7] = Number.NaN;
      await expect(espirit(bad)).rejects.toMatchObject({ code: 'ERR_NOT_FINITE' });
    });

    test('shapes, masks and options that make no sense', async () => {
      await expect(espirit({ data: kspace.data, shape: [ny, nx] })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
      await expect(espirit({ data: kspace.data, shape: [3, ny, nx] })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
      const mask = { data: new Uint8Array(5).fill(1), shape: [5] as const };
      await expect(espirit(kspace, { mask })).rejects.toMatchObject({ code: 'ERR_MASK' });
      for (const options of [
        { kernel: 0 },
        { kernel: 25 },
        { sets: 3 },
        { crop: 1 },
        { crop: 'sharp' as never },
        { weighting: 'smooth' as never },
        { matrix: [16, 0] as const },
        { threshold: -1 },
        { calibrationSize: 2.5 },
      ])
        await expect(espirit(kspace, options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    });
  });
});
