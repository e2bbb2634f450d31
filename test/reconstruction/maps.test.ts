// Coil maps in the pipeline: several sets, given maps, diagnostics and warnings.
import { beforeAll, describe, expect, test } from 'vitest';
import type { RealArray } from '#larmor/arrays/complex-array.js';
import { calibrate } from '#larmor/calibration/calibrate.js';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { MapsReader, MapsWriter } from '#larmor/io/maps-file.js';
import { openScan } from '#larmor/io/scan.js';
import { psnr, ssim } from '#larmor/metrics/metrics.js';
import type { Model } from '#larmor/networks/model.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createUnet } from '#larmor/networks/unet.js';
import { rootSumOfSquares } from '#larmor/reconstruction/images.js';
import { estimateMaps } from '#larmor/reconstruction/maps.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { runCli } from '../support/run-cli.js';
import { writeSyntheticScan } from '../support/scans.js';
import { wrappedScan } from '../support/wrapped-scan.js';

const file = temporaryFolder();
const plain = file('plain.h5');
const wrapped = file('wrapped.h5');
const [size, columns] = [96, 54];
const undersample = { type: 'equispaced', acceleration: 2, centerFraction: 16 / columns, seed: 1 } as const;
/** What the coils see of the folded head without noise. */
let truth: RealArray;

beforeAll(async () => {
  await writeSyntheticScan(plain, { slices: 3, coils: 4, size: 32, noise: 1e-3 });
  await using writer = await ScanWriter.create(wrapped, { slices: 1, coils: 12, matrix: [size, columns] });
  await writer.writeKspace(0, await wrappedScan(size, columns));
  await writer.commit();
  const { data } = await rootSumOfSquares(await wrappedScan(size, columns, { snr: Number.POSITIVE_INFINITY }));
  truth = { data, shape: [1, size, columns] };
});

/** PSNR and SSIM inside the object. */
function quality(image: RealArray): { psnr: number; ssim: number } {
  const peak = truth.data.reduce((a, b) => Math.max(a, b));
  const inside = ({ data }: RealArray): RealArray => ({
    data: data.map((value, i) => (truth.data[i] > 0.05 * peak ? value : 0)),
    shape: truth.shape,
  });
  return { psnr: psnr(inside(truth), inside(image)), ssim: ssim(inside(truth), inside(image)) };
}

describe('a head whose sides fold over', () => {
  test('one set of maps fails and says so; two sets mend it', async () => {
    const one = await reconstruct(wrapped, { undersample });
    const two = await reconstruct(wrapped, { undersample, calibration: { sets: 2 } });
    expect(one.slices[0].warnings).toEqual([expect.stringMatching(/2 sets/)]);
    expect(two.slices[0]).toMatchObject({ warnings: [], calibration: { maps: { sets: 2 } } });
    const [worse, better] = [quality(one.image), quality(two.image)];
    expect(better.psnr).toBeGreaterThan(worse.psnr + 3); // half the error and less
    expect(better.ssim).toBeGreaterThan(worse.ssim + 0.02);
  });

  test('softly weighted sets do as well, at the same brightness', async () => {
    const soft = await reconstruct(wrapped, { undersample, calibration: { sets: 2, weighting: 'soft' } });
    const hard = await reconstruct(wrapped, { undersample, calibration: { sets: 2 } });
    expect(quality(soft.image).psnr).toBeGreaterThan(quality(hard.image).psnr - 1);
    const sum = ({ data }: RealArray): number => data.reduce((a, b) => a + b);
    expect(Math.abs(sum(soft.image) / sum(hard.image) - 1)).toBeLessThan(0.05);
  });

  test('a network gets the first set, and data consistency all', async () => {
    const network = createUnet({ channels: 4, pools: 2, residual: true });
    const weights = new ParameterStore(network.parameters); // zeros: its output is its input
    const model: Model = { network, weights, input: 'sense', notes: {} };
    const options = { model, undersample, threads: 1 };
    const one = await reconstruct(wrapped, options);
    const two = await reconstruct(wrapped, { ...options, calibration: { sets: 2 } });
    expect(quality(two.image).psnr).toBeGreaterThan(quality(one.image).psnr + 1);
    const adapted = await reconstruct(wrapped, { ...options, adapt: { maxIterations: 2 }, calibration: { sets: 2 } });
    expect(adapted.slices[0].adaptation?.validation.first).toBeGreaterThan(0);
  });
});

describe('diagnostics', () => {
  test('stand in every slice report, with maps where the method uses any', async () => {
    const options = { undersample: { acceleration: 2, centerFraction: 0.5, seed: 1 } };
    const { slices, manifest } = await reconstruct(plain, options);
    for (const { calibration, warnings } of slices) {
      expect(calibration.centre).toEqual({ rows: 32, columns: 16 });
      expect(calibration.acceleration).toBe(manifest.sampling.acceleration);
      expect(calibration.maps).toMatchObject({ method: 'espirit', kernel: 6, crop: 0.8, sets: 1 });
      expect(calibration.maps?.unexplained).toBeLessThan(0.02);
      expect(warnings).toEqual([]);
    }
    expect(manifest.slices[1].calibration).toEqual(slices[1].calibration);
    const without = await reconstruct(plain, { ...options, method: 'zero-filled' });
    expect(without.slices[0].calibration.maps).toBeUndefined();
  });

  test('warn of more acceleration than coils', async () => {
    const options = { undersample: { acceleration: 6, centerFraction: 0.04, seed: 1 } };
    const path = await writeSyntheticScan(file('two.h5'), { slices: 1, coils: 2, size: 192 });
    const { slices } = await reconstruct(path, options);
    expect(slices[0].warnings.join()).toMatch(/exceeds the number of coils, 2/);
  });

  test('larmor maps reports them as JSON and in words', async () => {
    const run = await runCli(['maps', plain, '-o', file('m.h5'), '--crop', 'auto', '--matrix', '20x24', '--json']);
    expect(run.exitCode).toBe(0);
    const { shape, slices } = JSON.parse(run.stdout);
    expect(shape).toEqual([3, 1, 4, 20, 24]);
    expect(slices[2]).toMatchObject({
      index: 2,
      calibration: { centre: { rows: 32, columns: 32 }, acceleration: 1, maps: { method: 'espirit', kernel: 6 } },
      warnings: [],
    });
    const low = await runCli(['maps', plain, '-o', file('m.h5'), '--method', 'low-resolution', '--slices', '1']);
    expect(low.stdout).toMatch(/slice 1 +centre 32 x 32, 1\.00x, crop 0\.05, support [\d.]+ %, unexplained [\d.]+ %/);
  });
});

describe('given maps', () => {
  const maps = file('maps.h5');

  beforeAll(async () => {
    await using scan = await openScan(plain);
    await using writer = await MapsWriter.create(maps, [2, 1, 4, 32, 32]);
    const slices: { index: number }[] = [];
    for await (const { maps: estimate, index } of estimateMaps(scan, { threshold: 0.0004, slices: { first: 1 } })) {
      await writer.write(slices.length, estimate);
      slices.push({ index });
    }
    await writer.commit({ slices });
  });

  test('are read by the position of their slice', async () => {
    await using reader = await MapsReader.open(maps);
    await using scan = await openScan(plain);
    const { maps: wanted } = await calibrate(await scan.readKspace(2), { threshold: 0.0004 });
    expect((await reader.read(2)).data).toEqual(wanted.data);
    await expect(reader.read(0)).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message: /slice 0, only of 1, 2/ });
  });

  test('give the image of the maps estimated from the same data', async () => {
    const slices = { first: 1, end: 2 };
    const given = await reconstruct(plain, { maps, slices });
    const estimated = await reconstruct(plain, { slices });
    expect(given.image).toEqual(estimated.image);
    expect(given.slices[0].calibration.maps).toEqual({ method: 'file', sets: 1 });
    expect(given.manifest.options.maps).toBe('maps.h5');
    const run = await runCli(['recon', plain, '-o', file('o.h5'), '--slices', '1', '--maps', maps, '--json']);
    expect(JSON.parse(run.stdout).slices[0].metrics).toEqual(given.slices[0].metrics);
  });

  test('are refused where they do not fit', async () => {
    const code = async (options: object, path = plain): Promise<string> =>
      await reconstruct(path, options).then(
        () => 'none',
        (error) => error.code,
      );
    expect(await code({ maps, slices: { first: 1 }, calibration: { sets: 2 } })).toBe('ERR_ARGUMENT');
    expect(await code({ maps })).toBe('ERR_ARGUMENT');
    expect(await code({ maps: file('none.h5') })).toBe('ERR_FILE_NOT_FOUND');
    expect(await code({ maps: plain })).toBe('ERR_FILE_FORMAT');
    const other = await writeSyntheticScan(file('other.h5'), { slices: 2, coils: 5, size: 32 });
    expect(await code({ maps, slices: { first: 1 } }, other)).toBe('ERR_SHAPE');
  });

  test('of low resolution serve too, by --maps-method', async () => {
    const args = ['--maps-method', 'low-resolution', '--acceleration', '2', '--center-fraction', '0.5', '--json'];
    const run = await runCli(['recon', plain, '-o', file('o.h5'), ...args]);
    const { slices, metrics } = JSON.parse(run.stdout);
    expect(slices[0].calibration.maps).toMatchObject({ method: 'low-resolution', crop: 0.05 });
    expect(metrics.nmse).toBeLessThan(0.05);
  });
});
