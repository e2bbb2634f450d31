import { beforeAll, describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { senseGFactor } from '#larmor/calibration/g-factor.js';
import type { NoiseCovariance } from '#larmor/calibration/noise.js';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { MapsWriter } from '#larmor/io/maps-file.js';
import { type PseudoReplicaOptions, pseudoReplica } from '#larmor/reconstruction/pseudo-replica.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { renderPhantom } from '#larmor/simulation/phantom.js';
import { simulateScan } from '#larmor/simulation/scan.js';
import { sameBits } from '../support/bits.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { syntheticKspace, writeSyntheticScan } from '../support/scans.js';

const file = temporaryFolder();
const [path, mapsPath, small] = [file('scan.h5'), file('maps.h5'), file('small.h5')];
const [COILS, SIZE, REPLICAS] = [8, 48, 200];

let maps: ComplexArray;

beforeAll(async () => {
  const object = await renderPhantom({ family: 'head', seed: 4, size: SIZE });
  const scan = await simulateScan(object, { coils: COILS, snr: 50, seed: 4 });
  maps = { data: scan.maps.data, shape: [COILS, SIZE, SIZE] };
  await using writer = await ScanWriter.create(path, { slices: 1, coils: COILS, matrix: [SIZE, SIZE] });
  await writer.writeKspace(0, { data: scan.kspace.data, shape: [COILS, SIZE, SIZE] });
  await writer.commit();
  await using stored = await MapsWriter.create(mapsPath, [1, 1, COILS, SIZE, SIZE]);
  await stored.write(0, { data: maps.data, shape: [1, COILS, SIZE, SIZE] });
  await stored.commit({});
  await writeSyntheticScan(small, { slices: 2, coils: 3, size: 24, noise: 1e-2 });
});

/** Coupled noise: B B^H of a triangular B, times `power`. */
function coupled(power: number): NoiseCovariance {
  const matrix = new Float64Array(2 * COILS * COILS);
  const entry = (i: number, k: number): number => (k === i ? 1 + 0.1 * i : k === i - 1 ? 0.4 : 0);
  for (let i = 0; i < COILS; i += 1)
    for (let j = 0; j < COILS; j += 1)
      for (let k = 0; k < COILS; k += 1) matrix[2 * (i * COILS + j)] += power * entry(i, k) * entry(j, k);
  return { matrix, coils: COILS, samples: 1, condition: 1, warnings: [] };
}

/** White noise of equal coils. */
function white(power: number, coils = COILS): NoiseCovariance {
  const matrix = complexZeros([coils, coils]).data;
  for (let i = 0; i < coils; i += 1) matrix[2 * i * (coils + 1)] = power;
  return { matrix: Float64Array.from(matrix), coils, samples: 1, condition: 1, warnings: [] };
}

/** Exact SENSE: the true maps, no regularisation, iterations to the end. */
const sense = {
  method: 'cg-sense',
  maps: mapsPath,
  regularisation: 0,
  iterations: 60,
  tolerance: 1e-6,
  replicas: REPLICAS,
} as const;
const uniform = (acceleration: number): PseudoReplicaOptions['undersample'] => ({
  type: 'equispaced',
  acceleration,
  centerFraction: 0,
  seed: 1,
});

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const ratios = (a: Float32Array, b: Float32Array): number[] => [...a].map((value, i) => value / b[i]);

describe('pseudoReplica', () => {
  test('finds the g-factor of SENSE that the closed form gives', async () => {
    const covariance = white(1e-4);
    const result = await pseudoReplica(path, { ...sense, undersample: uniform(3), covariance });
    expect(result).toMatchObject({ acceleration: 3, replicas: REPLICAS, manifest: { noise: { source: 'given' } } });
    const ratio = ratios(result.gFactor!.data, (await senseGFactor(maps, 3)).data);
    // A ratio of two deviations of 200 replicas each: at most sqrt(2) / sqrt(2 * 199) = 7.1 % a pixel, and no bias beyond its mean over 2304.
    const error = Math.SQRT2 * result.standardError;
    expect(Math.abs(mean(ratio) - 1)).toBeLessThan(5 * (error / SIZE) + error ** 2);
    expect(Math.sqrt(mean(ratio.map((value) => (value - 1) ** 2)))).toBeLessThan(1.15 * error);
    expect(Math.max(...ratio.map((value) => Math.abs(value - 1)))).toBeLessThan(5 * error);
  });

  test('draws noise of the covariance it is given: the SNR of the fully sampled image is known', async () => {
    const covariance = coupled(1e-3);
    const { snr, gFactor, standardError } = await pseudoReplica(path, { ...sense, covariance });
    // Without undersampling both reconstructions are one, with the same noise.
    for (const g of gFactor!.data) expect(g).toBe(1);
    // x = sum of conj(S) y: the variance of its real part is S^H Psi S / 2.
    const { replicas: _, ...reconstruction } = sense;
    const { image } = await reconstruct(path, reconstruction);
    const points = SIZE * SIZE;
    const wanted = image.data.map((magnitude, p) => {
      let variance = 0;
      for (let i = 0; i < COILS; i += 1)
        for (let j = 0; j < COILS; j += 1) {
          const [a, b] = [2 * (i * points + p), 2 * (j * points + p)];
          const real = maps.data[a] * maps.data[b] + maps.data[a + 1] * maps.data[b + 1];
          variance += (real * covariance.matrix[2 * (i * COILS + j)]) / 2;
        }
      return magnitude / Math.sqrt(variance);
    });
    const ratio = ratios(snr.data, Float32Array.from(wanted));
    expect(Math.abs(mean(ratio) - 1)).toBeLessThan(5 * (standardError / SIZE) + standardError ** 2);
    expect(Math.sqrt(mean(ratio.map((value) => (value - 1) ** 2)))).toBeLessThan(1.15 * standardError);
  });

  test.each([{ whiten: 'background' }, { compress: 7 }, { compress: { method: 'geometric', coils: 7 } }] as const)(
    'takes whitened and virtual coils: %j',
    async (preparation) => {
      // The noise of this scan is white and seven virtual coils hold nearly all: the SNR stays what it was.
      const options = { method: 'cg-sense', replicas: 40, regularisation: 0 } as const;
      const plain = await pseudoReplica(path, { ...options, whiten: 'none', compress: false });
      const prepared = await pseudoReplica(path, { ...options, ...preparation });
      const inside = [...plain.snr.data.keys()].filter((p) => plain.snr.data[p] > 10);
      const ratio = inside.map((p) => prepared.snr.data[p] / plain.snr.data[p]);
      expect(inside.length).toBeGreaterThan(500);
      expect(Math.abs(mean(ratio) - 1)).toBeLessThan(0.05);
    },
  );

  test('follows from its seed alone', async () => {
    const options = { method: 'zero-filled', replicas: 4, whiten: 'none' } as const;
    const run = (more: PseudoReplicaOptions): Promise<Float32Array> =>
      pseudoReplica(small, { ...options, ...more }).then(({ snr }) => snr.data);
    const [one, three, other, second] = await Promise.all([
      run({ threads: 1 }),
      run({ threads: 3 }),
      run({ noiseSeed: 1 }),
      run({ slices: { first: 1 } }),
    ]);
    expect(sameBits(three, one)).toBe(true);
    expect(sameBits(other, one)).toBe(false);
    expect(sameBits(second, one.slice(one.length / 2))).toBe(true);
  });

  test("starts methods as reconstruct() does: with the weight of the scan's contrast", async () => {
    const contrast = file('contrast.h5');
    const kspace = await syntheticKspace({ slices: 1, coils: 3, size: 24 }, 0);
    await using writer = await ScanWriter.create(contrast, {
      slices: 1,
      coils: 3,
      matrix: [24, 24],
      acquisition: 'CORPD_FBK',
    });
    await writer.writeKspace(0, kspace);
    await writer.commit();
    const options = {
      method: 'l1-wavelet',
      iterations: 5,
      replicas: 2,
      covariance: white(1e-4, 3),
      slices: { end: 1 },
    } as const;
    const run = async (more: PseudoReplicaOptions): Promise<Float32Array> =>
      (await pseudoReplica(contrast, { ...options, ...more })).snr.data;
    const [implied, named] = [await run({}), await run({ regularisation: 0.01 })];
    expect(sameBits(implied, named)).toBe(true);
    expect(sameBits(implied, await run({ regularisation: 0.002 }))).toBe(false);
  });

  test('reports progress and stops on abort', async () => {
    const fractions: number[] = [];
    const onProgress = (fraction: number): void => {
      fractions.push(fraction);
    };
    await pseudoReplica(small, { method: 'zero-filled', replicas: 3, onProgress });
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    const controller = new AbortController();
    const reason = new Error('enough');
    const stop = (): void => controller.abort(reason);
    const running = pseudoReplica(small, { replicas: 1000, signal: controller.signal, onProgress: stop });
    await expect(running).rejects.toBe(reason);
  });

  test('refuses options that make no sense', async () => {
    for (const options of [{ replicas: 1 }, { replicas: 2.5 }, { noiseSeed: -1 }, { method: 'magic' }])
      await expect(pseudoReplica(small, options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(pseudoReplica(small, { covariance: white(1) })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    const covariance = { ...white(1), matrix: new Float64Array(2 * COILS * COILS) };
    await expect(pseudoReplica(path, { covariance, replicas: 2 })).rejects.toMatchObject({ code: 'ERR_NOISE' });
  });
});
