import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RealArray } from '#larmor/arrays/complex-array.js';
import type { LarmorError } from '#larmor/errors.js';
import { openScan } from '#larmor/io/scan.js';
import { evaluateVolume, nmse } from '#larmor/metrics/metrics.js';
import { rootSumOfSquares as combine } from '#larmor/reconstruction/images.js';
import { estimateMemory } from '#larmor/reconstruction/memory.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { createMask } from '#larmor/sampling/mask.js';
import { kspaceDataset, temporaryFolder, writeHdf5 } from '../support/hdf5-files.js';
import { syntheticKspace, writeSyntheticScan } from '../support/scans.js';
import { describeShared, shared } from '../support/shared.js';

const file = temporaryFolder();
const size = 48;
const full = file('full.h5');
const undersampled = file('undersampled.h5');
const mask = createMask({ type: 'equispaced', columns: size, acceleration: 2, centerFraction: 0.3, seed: 1 });
const undersample = { acceleration: 2, centerFraction: 0.3 };

beforeAll(async () => {
  await writeSyntheticScan(full, { slices: 3, coils: 4, size, noise: 1e-3 });
  await writeSyntheticScan(undersampled, { slices: 2, coils: 4, size, mask: { data: mask.data, shape: mask.shape } });
});

describe('zero-filled', () => {
  test('of fully sampled k-space is the root sum of squares of the coil images', async () => {
    const { image, reference, metrics } = await reconstruct(full, { method: 'zero-filled' });
    expect(image.shape).toEqual([3, size, size]);
    expect(image).toEqual(reference);
    expect(metrics).toMatchObject({ ssim: expect.closeTo(1, 12), nmse: 0 });
  });

  test('metrics are those of the volume and, with its data range, of each slice', async () => {
    const { image, reference, metrics, slices } = await reconstruct(full, { method: 'zero-filled', undersample });
    const whole = evaluateVolume(reference!, image);
    for (const name of ['ssim', 'ssimMatched', 'psnr', 'nmse', 'mse'] as const)
      expect(metrics?.[name]).toBeCloseTo(whole[name], 10);
    const mean = slices.reduce((sum, slice) => sum + slice.metrics!.ssim, 0) / 3;
    expect(mean).toBeCloseTo(whole.ssim, 12);
  });

  test('a scan with a mask and no reference has no metrics', async () => {
    const { metrics, reference, manifest } = await reconstruct(undersampled, { method: 'zero-filled' });
    expect([metrics, reference]).toEqual([undefined, undefined]);
    expect(manifest.sampling).toMatchObject({ source: 'scan', acceleration: size / mask.data.filter(Boolean).length });
  });
});

test('warns of an image of nothing', async () => {
  const { image, slices } = await reconstruct(full, { method: 'l1-wavelet', undersample, regularisation: 1e6 });
  expect(image.data.every((value) => value === 0)).toBe(true);
  for (const { warnings } of slices) expect(warnings).toContainEqual(expect.stringMatching(/image is zero throughout/));
});

test('the SENSE reference is the object without the noise around it', async () => {
  const truth = combine(await syntheticKspace({ slices: 1, coils: 4, size }, 0));
  const options = { method: 'zero-filled', slices: { end: 1 } } as const;
  const stored = (await reconstruct(full, options)).reference!;
  const sense = (await reconstruct(full, { ...options, reference: 'sense' })).reference!;
  const object = { data: (await truth).data, shape: [1, size, size] };
  expect(nmse(object, sense)).toBeLessThan(nmse(object, stored));
  const zeros = ({ data }: RealArray): number => data.filter((value) => value === 0).length;
  expect(zeros(sense)).toBeGreaterThan((size * size) / 4);
  expect(zeros(stored)).toBe(0);
  await expect(reconstruct(undersampled, { reference: 'sense' })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});

describe('options', () => {
  test('slices are those asked for', async () => {
    const all = await reconstruct(full, { method: 'zero-filled' });
    const two = await reconstruct(full, { method: 'zero-filled', slices: { first: 1 } });
    expect(two.slices.map(({ index }) => index)).toEqual([1, 2]);
    expect(two.image.data).toEqual(all.image.data.subarray(size * size));
  });

  test('the mask is drawn from the file name unless a seed is given', async () => {
    const byName = await reconstruct(full, { method: 'zero-filled', undersample });
    const again = await reconstruct(full, { method: 'zero-filled', undersample });
    const bySeed = await reconstruct(full, { method: 'zero-filled', undersample: { ...undersample, seed: 7 } });
    expect(again.image).toEqual(byName.image);
    expect(bySeed.image).not.toEqual(byName.image);
    expect(byName.manifest.sampling).toMatchObject({ source: 'drawn', type: 'random', seed: 'full.h5' });
    expect(bySeed.manifest.sampling).toMatchObject({ seed: 7 });
  });

  test('threads and parallelism do not change the image', async () => {
    const options = { method: 'cg-sense', undersample } as const;
    const one = await reconstruct(full, { ...options, threads: 1 });
    const many = await reconstruct(full, { ...options, threads: 2, parallelism: 3 });
    expect(many.image).toEqual(one.image);
    expect(many.slices.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  test.each([
    ['an unknown method', { method: 'magic' }, /method must be one of zero-filled, cg-sense, .*unet/],
    ['slices beyond the scan', { slices: { end: 4 } }, /0:3/],
    ['slices in the wrong order', { slices: { first: 2, end: 2 } }, /2:2/],
    ['parallelism of 0', { parallelism: 0 }, /parallelism/],
    ['threads of 0', { threads: 0 }, /threads/],
    ['adapt without a network', { method: 'cg-sense', adapt: true }, /neither model nor adapt/],
    ['a misspelt option', { acceleration: 4 } as object, /an option must be one of method, .*got acceleration/],
    ['a misspelt field of slices', { slices: { start: 1 } as object }, /first, end, got start/],
    ['negative regularisation', { method: 'cg-sense', regularisation: -1 }, /regularisation/],
    ['a setting of another method', { method: 'zero-filled', iterations: 5 }, /zero-filled takes no iterations/],
    ['a tolerance of 1', { method: 'cg-sense', tolerance: 1 }, /tolerance must be at least 0 and below 1, got 1/],
    ['acceleration below 1', { undersample: { acceleration: 0.5 } }, /acceleration/],
  ])('%s is refused before any work', async (_, options, message) => {
    const failure = await reconstruct(full, options).catch((error: LarmorError) => error);
    expect(failure).toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringMatching(message) });
  });

  test('iterative methods tell how they ended', async () => {
    const options = { method: 'cg-sense', undersample, slices: { end: 1 } } as const;
    const short = await reconstruct(full, { ...options, iterations: 2 });
    const loose = await reconstruct(full, { ...options, tolerance: 0.3 });
    expect(short.slices[0].solver).toMatchObject({ iterations: 2, stop: 'iterations' });
    const early = await reconstruct(full, { method: 'tv', undersample, slices: { end: 1 }, iterations: 1 });
    expect(early.slices[0].warnings).toContainEqual(expect.stringMatching(/far from done after 1 iterations/));
    expect(loose.slices[0].warnings).not.toContainEqual(expect.stringMatching(/far from done/));
    expect(loose.slices[0].solver).toMatchObject({ stop: 'tolerance' });
    expect(loose.slices[0].solver!.residual).toBeLessThan(0.3);
  });

  test('undersampling an undersampled scan is refused', async () => {
    const attempt = reconstruct(undersampled, { method: 'zero-filled', undersample });
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  test('an unavailable device is refused', async () => {
    await expect(reconstruct(full, { device: 'webgpu' })).rejects.toMatchObject({ code: 'ERR_DEVICE' });
  });
});

describe('padding columns', () => {
  test('a scan padded at both ends is reconstructed as if the zeros had been measured', async () => {
    const { data, shape } = await syntheticKspace({ slices: 1, coils: 4, size }, 0);
    const acquired = (i: number): boolean => (i >> 1) % size >= 4 && (i >> 1) % size < size - 4;
    const header =
      '<ismrmrdHeader><encoding><encodedSpace><matrixSize><x>48</x><y>48</y></matrixSize></encodedSpace><encodingLimits>' +
      '<kspace_encoding_step_1><maximum>39</maximum><center>20</center></kspace_encoding_step_1>' +
      '</encodingLimits></encoding></ismrmrdHeader>';
    const kspace = { shape: [1, ...shape], complex: true, data: data.map((value, i) => (acquired(i) ? value : 0)) };
    const path = await writeHdf5(file('padded.h5'), { kspace, ismrmrd_header: { shape: [], data: header } });
    const { metrics, manifest } = await reconstruct(path, {
      method: 'cg-sense',
      undersample: { ...undersample, seed: 3 },
    });
    expect(manifest.sampling.acceleration).toBeGreaterThan(1.2);
    expect(metrics!.nmse).toBeLessThan(5e-3);
  });
});

test('a slice of zeros gives an image of zeros and a warning, and the others their images', async () => {
  const { data, shape } = await syntheticKspace({ slices: 1, coils: 4, size }, 0);
  const kspace = { shape: [3, ...shape], complex: true, data: new Float32Array(3 * data.length) };
  kspace.data.set(data, data.length);
  const path = await writeHdf5(file('blank.h5'), { kspace });
  const { image, slices } = await reconstruct(path, { method: 'cg-sense', undersample });
  expect(slices.map(({ warnings }) => warnings.length)).toEqual([1, 0, 1]);
  const sums = [0, 1, 2].map((i) =>
    image.data.subarray(i * size * size, (i + 1) * size * size).reduce((a, b) => a + b),
  );
  expect([sums[0], sums[2]]).toEqual([0, 0]);
  expect(sums[1]).toBeGreaterThan(0);
});

describe('running', () => {
  test('progress reaches 1, slice by slice', async () => {
    const heard: { done: number; total: number; fraction: number }[] = [];
    await reconstruct(full, { method: 'zero-filled', onProgress: (progress) => heard.push(progress) });
    expect(heard.map(({ fraction }) => fraction)).toEqual(heard.map(({ fraction }) => fraction).sort((a, b) => a - b));
    expect(heard.at(-1)).toMatchObject({ done: 3, total: 3, fraction: 1 });
    expect(heard.filter(({ done }) => done > 0).length).toBeGreaterThanOrEqual(3);
  });

  test('an abort rejects with its reason and leaves the scan usable', async () => {
    await using scan = await openScan(full);
    const controller = new AbortController();
    const running = reconstruct(scan, {
      method: 'cg-sense',
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(running).rejects.toThrow('enough');
    await expect(reconstruct(scan, { signal: controller.signal })).rejects.toThrow('enough');
    expect((await reconstruct(scan, { method: 'zero-filled' })).slices).toHaveLength(3);
  });

  test('NaN in one slice stops the others with its error', async () => {
    const kspace = kspaceDataset([3, 2, 16, 16], (i) => (i > 1500 ? Number.NaN : Math.sin(i)));
    const path = await writeHdf5(file('nan.h5'), { kspace, mask: { shape: [16], data: new Uint8Array(16).fill(1) } });
    const attempt = reconstruct(path, { method: 'zero-filled', parallelism: 2 });
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_NOT_FINITE', message: expect.stringContaining('nan.h5') });
  });

  test('more memory than there is, is refused before any work', async () => {
    await using scan = await openScan(full);
    const huge = { ...scan, slices: 1e5, imageShape: [1e5, 1e5] as const };
    await expect(reconstruct(huge, { method: 'zero-filled', whiten: 'none' })).rejects.toMatchObject({
      code: 'ERR_OUT_OF_MEMORY',
    });
  });

  test('the estimate of memory grows with parallelism, not with slices', async () => {
    await using scan = await openScan(full);
    const one = await estimateMemory(scan, { method: 'zero-filled', slices: { end: 1 } });
    const three = await estimateMemory(scan, { method: 'zero-filled' });
    const wide = await estimateMemory(scan, { method: 'zero-filled', parallelism: 3 });
    expect(three.total - one.total).toBe(2 * 2 * 4 * size * size); // image and reference of two slices
    expect(wide.total - three.total).toBe(2 * three.perSlice);
  });
});

test('the manifest says what was done, on what, with what', async () => {
  const { manifest } = await reconstruct(full, {
    method: 'zero-filled',
    undersample,
    slices: { first: 1 },
    threads: 1,
  });
  const sha256 = createHash('sha256').update(readFileSync(full)).digest('hex');
  expect(manifest).toMatchObject({
    input: { name: 'full.h5', sha256 },
    method: 'zero-filled',
    options: { slices: [1, 3] },
    device: 'cpu',
    threads: 1,
    node: process.versions.node,
  });
  expect(manifest.larmor).toMatch(/^\d+\.\d+\.\d+/);
  expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
});

describeShared('real scans', () => {
  test('a 3-D scan sampled at random points', async () => {
    const path = shared('data/brain_t1_8ch_poisson8.h5');
    const { image } = await reconstruct(path, { method: 'cg-sense' });
    expect(image.shape).toEqual([1, 230, 180]);
  });
});
