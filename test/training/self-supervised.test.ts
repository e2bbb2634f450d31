// Training examples whose samples are shared out between network and loss, and training on undersampled scans alone.
import { beforeAll, describe, expect, test } from 'vitest';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { createNetwork } from '#larmor/networks/network.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { Mask } from '#larmor/operators/mask.js';
import { createMask, type SamplingMask } from '#larmor/sampling/mask.js';
import type { Validation } from '#larmor/training/checkpoint.js';
import { parseTrainingConfig, prepareDataset, trainingPlan } from '#larmor/training/config.js';
import { Dataset, type TrainingSample } from '#larmor/training/dataset.js';
import { LOSSES } from '#larmor/training/losses.js';
import type { TrainingSampling } from '#larmor/training/measurement.js';
import { phantomSource, type SliceSource } from '#larmor/training/sources.js';
import { train } from '#larmor/training/trainer.js';
import type { TrainingSplit } from '#larmor/training/view.js';
import { relativeError } from '../support/graph-checks.js';
import { temporaryFolder } from '../support/hdf5-files.js';

const SIZE = 32;
const COILS = 3;
const POINTS = SIZE * SIZE;
const file = temporaryFolder();
const sampling: TrainingSampling = { type: 'random', acceleration: 2, centerFraction: 0.25, fixed: false, seed: 4 };
const split: TrainingSplit = { kind: 'ssdu-gaussian', seed: 7 };
const source = (subjects: number, seed: number): SliceSource =>
  phantomSource({ families: ['limb'], subjects, slices: 1, size: SIZE, coils: COILS, snr: [50, 100], seed });
const NAMES = ['image', 'kspace', 'maps', 'mask', 'lossMask', 'heldOutMask'];

const prepare = (options: { split?: TrainingSplit; source?: SliceSource } = {}): Promise<Dataset> =>
  Dataset.prepare(options.source ?? source(3, 1), { sampling, input: 'sense', split: options.split });

const pointMask = (values: Float32Array): SamplingMask => ({ data: Uint8Array.from(values), shape: [SIZE, SIZE] });
const coils = (data: Float32Array): ComplexArray => ({ data, shape: [COILS, SIZE, SIZE] });

/** A^H y of a sample's k-space at some points, as planes. */
async function combined({ kspace, maps }: TrainingSample, mask: Float32Array): Promise<Float32Array> {
  const operator = new EncodingOperator({ maps: coils(maps), mask: pointMask(mask) });
  const { data } = await operator.adjoint(await new Mask(pointMask(mask), [COILS, SIZE, SIZE]).apply(coils(kspace)));
  return Float32Array.from(data, (_, i) => data[2 * (i % POINTS) + Math.floor(i / POINTS)]);
}

describe('a split', () => {
  let whole: Dataset;
  let parted: Dataset;
  beforeAll(async () => {
    [whole, parted] = [await prepare(), await prepare({ split })];
  });

  test('shares out the measured samples; the network sees its part at the scale of all', async () => {
    const all = await whole.sample(1, 5, NAMES);
    const sample = await parted.sample(1, 5, NAMES);
    for (let i = 0; i < POINTS; i += 1) expect(sample.mask[i] + sample.lossMask[i]).toBe(all.mask[i % SIZE]);
    const count = (mask: Float32Array): number => mask.reduce((sum, bit) => sum + bit, 0);
    expect(count(sample.lossMask)).toBe(Math.ceil(0.4 * SIZE * count(all.mask)) + 1);
    expect(Math.max(...sample.heldOutMask)).toBe(0);
    expect(sample.kspace).toEqual(all.kspace);
    expect(relativeError(sample.image, await combined(sample, sample.mask))).toBeLessThan(1e-6);
    expect(relativeError(sample.image, all.image)).toBeGreaterThan(0.1);
  });

  test('every draw is new, or one of so many per slice', async () => {
    const drawn = async (dataset: Dataset, index: number, draws: number): Promise<Set<string>> => {
      const found = new Set<string>();
      for (let draw = 0; draw < draws; draw += 1)
        found.add(String((await dataset.sample(index, draw, ['lossMask'])).lossMask));
      return found;
    };
    const fixed = { sampling: { ...sampling, fixed: true }, input: 'sense' } as const;
    const fresh = await Dataset.prepare(source(2, 1), { ...fixed, split });
    const few = await Dataset.prepare(source(2, 1), { ...fixed, split: { ...split, masks: 3 } });
    expect((await drawn(fresh, 0, 12)).size).toBe(12);
    const [first, second] = [await drawn(few, 0, 30), await drawn(few, 1, 30)];
    expect([first.size, second.size]).toEqual([3, 3]);
    expect([...first].filter((mask) => second.has(mask))).toEqual([]);
    expect(await drawn(few, 0, 30)).toEqual(first);
  });

  test('the network sees all samples when asked', async () => {
    const sample = await parted.sample(1, 5, NAMES, { whole: true });
    const all = await whole.sample(1, 5, NAMES, { masks: 'points' });
    expect(sample).toEqual(all);
  });

  test('robust: more noise in what the network sees, of the deviation asked for; the loss looks at everything', async () => {
    const [level, alpha] = [0.2, 0.5];
    const noisy = await prepare({ split: { ...split, noise: { level, alpha } } });
    const [sample, quiet] = [await noisy.sample(0, 1, [...NAMES, 'target']), await parted.sample(0, 1, NAMES)];
    expect(sample.mask).toEqual(quiet.mask);
    expect(sample.kspace).toEqual(quiet.kspace);
    for (let i = 0; i < POINTS; i += 1) expect(sample.lossMask[i]).toBe(quiet.mask[i] + quiet.lossMask[i]);
    // Through A^H, noise of deviation s in m of n samples has s sqrt(m / n) in a pixel where the maps have norm 1. Brightness is the 95th
    // percentile of the root sum of squares, here that of the target as its noise is low.
    const inside = Array.from({ length: POINTS }, (_, i) => i).filter((i) => sample.maps[2 * i] !== 0);
    const difference = inside.flatMap((i) => [i, i + POINTS].map((j) => sample.image[j] - quiet.image[j]));
    const deviation = Math.sqrt(difference.reduce((sum, d) => sum + d * d, 0) / difference.length);
    const magnitudes = Float32Array.from({ length: POINTS }, (_, i) =>
      Math.hypot(sample.target[i], sample.target[i + POINTS]),
    );
    const brightness = magnitudes.sort()[Math.round(0.95 * (POINTS - 1))];
    const share = sample.mask.reduce((sum, bit) => sum + bit, 0) / POINTS;
    expect(deviation / (alpha * level * brightness * Math.sqrt(share))).toBeCloseTo(1, 1);
  });
});

describe('undersampled scans', () => {
  const mask = createMask({ type: 'random', columns: SIZE, acceleration: 2, centerFraction: 0.25, seed: 9 });
  let path: string;

  beforeAll(async () => {
    path = file('undersampled.h5');
    await using scan = await ScanWriter.create(path, { slices: 2, coils: COILS, matrix: [SIZE, SIZE], mask });
    for (const slice of [0, 1]) {
      const kspace = await source(2, 3).read(slice);
      await scan.writeKspace(slice, await new Mask(mask, kspace.shape).apply(kspace));
    }
    await scan.commit();
  });

  const config = (extra: object) =>
    parseTrainingConfig({ training: { source: 'scans', paths: [path] }, loss: 'ssdu', split: {}, steps: 1, ...extra });
  const dataset = async (extra: object = {}): Promise<Dataset> => {
    const parsed = config(extra);
    return prepareDataset(parsed, parsed.training);
  };

  test('keep all samples they have', async () => {
    const sample = await (await dataset()).sample(0, 1, ['mask', 'lossMask']);
    for (let i = 0; i < POINTS; i += 1) expect(sample.mask[i] + sample.lossMask[i]).toBe(mask.data[i % SIZE]);
  });

  test('are undersampled further on request', async () => {
    const further = await dataset({ undersampling: { further: true, acceleration: 4, centerFraction: 0.2 } });
    const { mask: drawn } = await further.sample(0, 1, ['mask'], { whole: true });
    const columns = Array.from({ length: SIZE }, (_, x) => drawn[x]);
    expect(columns.every((bit, x) => bit <= mask.data[x])).toBe(true);
    expect(columns.reduce((sum, bit) => sum + bit)).toBeLessThan(mask.data.reduce((sum, bit) => sum + bit));
  });

  test('have nothing to compare with', async () => {
    await expect(dataset({ loss: 'joint' })).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(/undersampled\.h5 is undersampled; .* self-supervised loss/),
    });
    await expect(dataset({ split: undefined })).rejects.toMatchObject({ code: 'ERR_CONFIG' });
    const prepared = await dataset();
    expect(prepared.hasTarget(0)).toBe(false);
    for (const name of ['target', 'targetKspace', 'targetRss', 'completedKspace'])
      await expect(prepared.sample(0, 1, [name]), name).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  test('train a network that then explains held-out samples better; no SSIM is known', async () => {
    const parsed = config({ steps: 30, validateEvery: 10, optimiser: { learningRate: 3e-3 } });
    const plan = trainingPlan(parsed);
    const network = createNetwork('unrolled', { cascades: 1, channels: 4, pools: 2, iterations: 8 });
    const training = await dataset();
    const { validations } = await train({ network, plan, training, validation: training, threads: 1 });
    expect(validations.at(-1)?.loss).toBeLessThan(validations[0].loss);
    expect(validations[0].ssim).toBeUndefined();
  });
});

test('SSDU lowers the misfit of unseen samples, and the image of all samples gains', async () => {
  const slices = (subjects: number, seed: number): SliceSource =>
    phantomSource({ families: ['head'], subjects, slices: 1, size: 48, coils: 4, snr: [200, 200], seed });
  const options = { sampling: { ...sampling, acceleration: 3 }, input: 'sense', split } as const;
  const [training, validation] = [
    await Dataset.prepare(slices(4, 1), options),
    await Dataset.prepare(slices(2, 2), options),
  ];
  const network = createNetwork('unrolled', { cascades: 1, channels: 4, pools: 2, iterations: 10 });
  const outcome = async (steps: number, learningRate: number): Promise<Validation> => {
    const rest = { batch: 1, schedule: 'cosine', seed: 3, validateEvery: steps } as const;
    const plan = { loss: LOSSES.ssdu, steps, optimiser: { learningRate }, ...rest };
    return (await train({ network, plan, training, validation, threads: 1 })).validations[0];
  };
  // Untrained, the network gives the image of CG-SENSE.
  const [before, after] = [await outcome(1, 1e-9), await outcome(80, 3e-3)];
  expect(after.loss).toBeLessThan(before.loss);
  expect(after.psnr).toBeGreaterThan(Number(before.psnr));
  expect(after.ssim).toBeGreaterThan(Number(before.ssim));
});

test('networks that make their own coil maps can have a split too', async () => {
  const training = await prepare({ split });
  const network = createNetwork('varnet', {
    ...{ cascades: 1, channels: 2, pools: 1 },
    sensitivity: { channels: 2, pools: 1 },
  });
  const rest = { batch: 1, schedule: 'cosine', seed: 3, validateEvery: 20 } as const;
  const plan = { loss: LOSSES.ssdu, steps: 40, optimiser: { learningRate: 1e-3 }, ...rest };
  const { validations } = await train({ network, plan, training, validation: training, threads: 1 });
  expect(validations[1].loss).toBeLessThan(validations[0].loss);
});
