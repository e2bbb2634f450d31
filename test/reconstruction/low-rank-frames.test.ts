// locally-low-rank across neighbouring slices and across contrasts: better than each alone, and the same whatever is asked for.
import { beforeAll, describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros, type RealArray } from '#larmor/arrays/complex-array.js';
import { magnitude } from '#larmor/arrays/magnitude.js';
import { sliceAt } from '#larmor/arrays/slices.js';
import { calibrate } from '#larmor/calibration/calibrate.js';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { openScan } from '#larmor/io/scan.js';
import { Mask } from '#larmor/operators/mask.js';
import { estimateMemory } from '#larmor/reconstruction/memory.js';
import { groupOf } from '#larmor/reconstruction/methods/low-rank-frames.js';
import type { ReconstructionOptions } from '#larmor/reconstruction/options.js';
import { pseudoReplica } from '#larmor/reconstruction/pseudo-replica.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { planSampling } from '#larmor/reconstruction/sampling.js';
import { createMask, type SamplingMask } from '#larmor/sampling/mask.js';
import { objectMedian } from '#larmor/simulation/magnitude.js';
import { renderPhantom } from '#larmor/simulation/phantom.js';
import { SimulatedScanner } from '#larmor/simulation/scan.js';
import { locallyLowRank } from '#larmor/solvers/locally-low-rank.js';
import { sameBits } from '../support/bits.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { ismrmrdHeader, type TestAcquisition, writeIsmrmrd } from '../support/ismrmrd-files.js';
import { syntheticKspace } from '../support/scans.js';
import { writeSimulatedVolume } from '../support/volumes.js';

const file = temporaryFolder();
const volume = file('volume.h5');
const method = 'locally-low-rank';
const iterations = 40;
const undersample = { acceleration: 4, seed: 1 } as const;
const acrossSlices = { method, across: 'slices', iterations, undersample } as const;

/** What the pipeline estimates maps with, and the method's default for slices and contrasts. */
const [threshold, blockSize] = [0.0004, 4];

beforeAll(() => writeSimulatedVolume(volume, { coils: 8, size: 64, partitions: 48, seed: 0 }));

/** One slice or contrast [coil, ky, kx] on its own, by the same function: a group of one. */
async function alone(kspace: ComplexArray, mask: SamplingMask, lambda: number): Promise<RealArray> {
  const { maps } = await calibrate(kspace, { mask, threshold });
  const frame = { data: kspace.data, shape: [1, ...kspace.shape] };
  const { x } = await locallyLowRank(frame, { maps, mask }, { lambda, blockSize, maxIterations: iterations });
  return magnitude({ data: x.data, shape: kspace.shape.slice(1) });
}

function nmse(images: readonly RealArray[], truth: readonly RealArray[]): number {
  let [error, energy] = [0, 0];
  images.forEach(({ data }, s) => {
    data.forEach((value, i) => {
      error += (value - truth[s].data[i]) ** 2;
      energy += truth[s].data[i] ** 2;
    });
  });
  return error / energy;
}

describe('groups of slices', () => {
  test.each([1, 5, 8, 9, 16, 17, 43, 64])('divide %i slices into runs of at most 8, none short', (slices) => {
    const all = Array.from({ length: slices }, (_, i) => i);
    const groups = all.map((index) => groupOf(index, slices));
    for (const index of all) {
      expect(groups[index]).toContain(index);
      for (const other of groups[index]) expect(groups[other]).toEqual(groups[index]);
    }
    const sizes = groups.map(({ length }) => length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(8);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });
});

describe('a simulated head in 3-D at 4-fold acceleration', () => {
  const slices = { first: 24, end: 40 };

  test('neighbours at once have less error than each slice alone, and than CG-SENSE', async () => {
    await using scan = await openScan(volume);
    const { metrics, image } = await reconstruct(scan, { ...acrossSlices, slices });
    const { mask } = planSampling(scan, undersample);
    const singles: RealArray[] = [];
    const truth: RealArray[] = [];
    for (let index = slices.first; index < slices.end; index += 1) {
      const kspace = await scan.readKspace(index);
      singles.push(await alone(await new Mask(mask, kspace.shape).apply(kspace), mask, 0.001));
      truth.push((await scan.readReference(index))!);
    }
    const joint = nmse(
      singles.map((_, i) => sliceAt(image, i)),
      truth,
    );
    expect(joint).toBeCloseTo(metrics!.nmse, 8);
    expect(joint).toBeLessThan(0.7 * nmse(singles, truth));
    const { metrics: sense } = await reconstruct(scan, { undersample, slices });
    expect(joint).toBeLessThan(0.5 * sense!.nmse);
  });

  test('slices come out the same whichever are asked for, and however many at once', async () => {
    const quick = { ...acrossSlices, iterations: 3 };
    const all = await reconstruct(volume, { ...quick, slices: { first: 30, end: 36 }, parallelism: 3, threads: 2 });
    const some = await reconstruct(volume, { ...quick, slices: { first: 33, end: 35 }, threads: 1 });
    expect(all.manifest.parallelism).toBe(1);
    for (const i of [0, 1]) expect(sameBits(sliceAt(some.image, i).data, sliceAt(all.image, i + 3).data)).toBe(true);
    const [{ solver, calibration }] = some.slices;
    expect(solver).toMatchObject({ iterations: 3, stop: 'iterations' });
    expect(calibration.maps).toBeDefined();
  });

  test('softly weighted maps, several sets and virtual coils by their energy serve as well', async () => {
    const few = { ...acrossSlices, iterations: 15, slices: { first: 32, end: 34 } };
    const plain = await reconstruct(volume, few);
    const other = await reconstruct(volume, {
      ...few,
      calibration: { weighting: 'soft', sets: 2 },
      compress: { energy: 0.99 },
    });
    expect(other.slices[0].compression?.coils).toBeLessThan(8);
    expect(other.metrics!.nmse).toBeLessThan(1.5 * plain.metrics!.nmse);
  });

  test('the estimate of memory holds the samples and maps of a group', async () => {
    await using scan = await openScan(volume);
    const perSlice = async (options: ReconstructionOptions): Promise<number> =>
      (await estimateMemory(scan, { method, ...options })).perSlice;
    const samples = 8 * 8 * 48 * 64;
    const joint = await perSlice({ across: 'slices' });
    expect(joint).toBeGreaterThan((await perSlice({})) + 2 * 8 * samples);
    expect(await perSlice({ across: 'slices', calibration: { sets: 2 } })).toBeGreaterThan(joint + 8 * samples);
    expect((await estimateMemory(scan, { ...acrossSlices, parallelism: 4 })).parallelism).toBe(1);
  });

  test.each([
    [{ across: 'echoes' as 'slices' }, 'across must be one of coils, slices, contrasts, got echoes'],
    [{ across: 'contrasts' }, 'has one contrast'],
    [{ across: 'slices', method: 'cg-sense' }, 'takes no across'],
  ] as const)('refuses %j', async (options, message) => {
    const error = { code: 'ERR_ARGUMENT', message: expect.stringContaining(message) };
    await expect(reconstruct(volume, { method, ...options })).rejects.toMatchObject(error);
  });

  test('noise is not measured where neighbours would get none', async () => {
    const error = { code: 'ERR_ARGUMENT', message: expect.stringContaining('to which no noise is added') };
    await expect(pseudoReplica(volume, acrossSlices)).rejects.toMatchObject(error);
  });
});

test('slices of zeros are left out of their group', async () => {
  const path = file('padded.h5');
  const [coils, size, measured] = [4, 32, [false, true, true]];
  {
    await using writer = await ScanWriter.create(path, { slices: measured.length, coils, matrix: [size, size] });
    for (const [slice, holds] of measured.entries()) {
      const kspace = await syntheticKspace({ slices: 3, coils, size, noise: 1e-3 }, slice);
      await writer.writeKspace(slice, holds ? kspace : complexZeros(kspace.shape));
    }
    await writer.commit();
  }
  const { image, slices } = await reconstruct(path, {
    ...acrossSlices,
    undersample: { acceleration: 2, centerFraction: 0.4, seed: 1 },
  });
  expect(sliceAt(image, 0).data.every((value) => value === 0)).toBe(true);
  expect(slices[0].warnings).toEqual(['k-space is zero throughout; so is the image']);
  for (const i of [1, 2]) expect(sliceAt(image, i).data.some((value) => value > 0)).toBe(true);
});

describe('three contrasts of a simulated head, each with a mask of its own', () => {
  const [coils, size] = [6, 64];
  const path = file('contrasts.h5');
  const truth: RealArray[] = [];
  const masks = [1, 2, 3].map((seed) =>
    createMask({ type: 'random', columns: size, acceleration: 3, centerFraction: 0.12, seed }),
  );
  const kspaces: ComplexArray[] = [];

  beforeAll(async () => {
    const head = { family: 'head', seed: 4, size: 2 * size } as const;
    const objects: RealArray[] = [];
    for (const contrast of ['t1', 'pd', 't2'] as const) objects.push(await renderPhantom({ ...head, contrast }));
    const scanner = new SimulatedScanner(objectMedian(objects[1]), { coils, size, snr: 60, seed: 4 });
    const acquisitions: TestAcquisition[] = [];
    for (const [contrast, object] of objects.entries()) {
      const { kspace, image } = await scanner.scan(sliceAt(object, 0));
      truth.push(magnitude(image));
      kspaces.push(await new Mask(masks[contrast], kspace.shape).apply(kspace));
      for (let ky = 0; ky < size; ky += 1)
        if (masks[contrast].data[ky] === 1)
          acquisitions.push({ data: lineOf(kspace, ky), channels: coils, ky, contrast });
    }
    await writeIsmrmrd(path, ismrmrdHeader({ encoded: [size, size, 1] }), acquisitions);
  });

  /** [coil, readout] of one column. */
  function lineOf(kspace: ComplexArray, column: number): Float32Array {
    const line = complexZeros([coils, size]);
    for (let i = 0; i < coils * size; i += 1)
      line.data.set(kspace.data.subarray(2 * (i * size + column), 2 * (i * size + column) + 2), 2 * i);
    return line.data;
  }

  test('at once have less error than each alone, whichever is selected', async () => {
    for (const contrast of [0, 1, 2]) {
      await using scan = await openScan(path, { contrast });
      const { image, manifest } = await reconstruct(scan, { method, across: 'contrasts', iterations });
      expect(manifest.options.settings).toEqual({ across: 'contrasts', iterations });
      const joint = nmse([sliceAt(image, 0)], [truth[contrast]]);
      const single = await alone(kspaces[contrast], masks[contrast], 0.002);
      expect(joint).toBeLessThan(0.75 * nmse([single], [truth[contrast]]));
    }
  });
});
