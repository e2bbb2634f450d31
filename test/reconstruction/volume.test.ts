// 3-D scans through the same pipeline as slices, and a real one undersampled in two phase encodings.
import { beforeAll, describe, expect, test } from 'vitest';
import { espirit } from '#larmor/calibration/espirit.js';
import { openScan } from '#larmor/io/scan.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { estimateMemory } from '#larmor/reconstruction/memory.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { createPointMask } from '#larmor/sampling/point-mask.js';
import { cgSense } from '#larmor/solvers/sense.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { runCli } from '../support/run-cli.js';
import { describeShared, shared } from '../support/shared.js';
import { writeSimulatedVolume } from '../support/volumes.js';

const file = temporaryFolder();
const path = file('volume.h5');
const [coils, size, partitions] = [16, 64, 40];

/** The middle of the head; few positions, as all take a while. */
const slices = { first: 24, end: 40 };

beforeAll(async () => {
  await writeSimulatedVolume(path, { coils, size, partitions, seed: 3 });
});

describe('CG-SENSE of a simulated head, two rings of coils, against the truth without noise', () => {
  // Zero-filled images have an NMSE of about 0.1; the noise alone costs 0.0004 when nothing is left out.
  test.each([
    ['every 2nd point along both phase encodes', { type: 'grid', acceleration: 4 }, 0.004],
    ['Poisson disc', { type: 'poisson', acceleration: 4 }, 0.006],
  ] as const)('%s', async (_, undersample, most) => {
    const { image, metrics, manifest } = await reconstruct(path, { method: 'cg-sense', undersample, slices });
    expect(image.shape).toEqual([16, partitions, size]);
    expect(metrics?.nmse).toBeLessThan(most);
    expect(manifest.sampling).toMatchObject({ source: 'drawn', type: undersample.type, center: [12, 12] });
  });

  test('Poisson disc is the default, the same for every position and every time', async () => {
    const options = { method: 'zero-filled', undersample: { acceleration: 4 }, slices } as const;
    const first = await reconstruct(path, options);
    expect(first.manifest.sampling).toMatchObject({ type: 'poisson', acceleration: 4 });
    expect((await reconstruct(path, { ...options, parallelism: 3 })).image).toEqual(first.image);
  });

  test('columns can be left out too', async () => {
    const undersample = { type: 'equispaced', acceleration: 2 } as const;
    const { metrics } = await reconstruct(path, { method: 'cg-sense', undersample, slices });
    expect(metrics?.nmse).toBeLessThan(0.004);
  });
});

test('the estimate of memory counts the blocks of the volume', async () => {
  await using scan = await openScan(path);
  const { total, program, perSlice, images } = await estimateMemory(scan, { slices });
  expect(total - program - perSlice - images).toBe(scan.workingBytes);
  expect(scan.workingBytes).toBeGreaterThan(0);
});

test('the command line simulates, describes and reconstructs volumes', async () => {
  const scan = file('cli.h5');
  const make = ['simulate', '--phantom', 'limb', '--volume', '--slices', '0:16', '--size', '32', '--coils', '4'];
  expect((await runCli([...make, '-o', scan])).stdout).toContain('3-D, 4 coils, 32 x 32 x 16');
  const info = JSON.parse((await runCli(['info', scan, '--json'])).stdout);
  expect(info).toMatchObject({ slices: 32, phaseEncodes: 2, matrix: [16, 32], fullySampled: true });
  const undersampled = ['--acceleration', '2', '--mask', 'poisson', '--seed', '1', '--slices', '12:20'];
  const recon = await runCli(['recon', scan, '-o', file('out.h5'), ...undersampled, '--json']);
  expect(recon.exitCode).toBe(0);
  expect(JSON.parse(recon.stdout).slices).toHaveLength(8);
});

describeShared('a real brain, undersampled eightfold in two phase encodings', () => {
  test('CG-SENSE foretells samples that it was not given', async () => {
    await using scan = await openScan(shared('data/brain_t1_8ch_poisson8.h5'));
    const kspace = await scan.readKspace(0);
    const [rows, columns] = scan.matrix;
    const center = createPointMask({ shape: [rows, columns], acceleration: 1e6, center: 24, seed: 1 }).data;
    const heldOut = scan.mask!.data.map((bit, i) => (bit === 1 && center[i] === 0 && i % 10 === 0 ? 1 : 0));
    const mask = { data: scan.mask!.data.map((bit, i) => bit - heldOut[i]), shape: [rows, columns] } as const;
    const given = kspace.data.map((value, i) => value * mask.data[(i >> 1) % mask.data.length]);
    const { maps } = await espirit({ data: given, shape: kspace.shape }, { mask });
    const { x } = await cgSense({ data: given, shape: kspace.shape }, { maps, mask });
    const everywhere = { data: new Uint8Array(rows * columns).fill(1), shape: [rows, columns] } as const;
    const foretold = await new EncodingOperator({ maps, mask: everywhere }).apply(x);
    let [error, energy] = [0, 0];
    for (let i = 0; i < kspace.data.length; i += 1)
      if (heldOut[(i >> 1) % heldOut.length] === 1) {
        error += (foretold.data[i] - kspace.data[i]) ** 2;
        energy += kspace.data[i] ** 2;
      }
    // A guess of zero has 1. Most of what is left is noise, which cannot be foretold.
    expect(error / energy).toBeLessThan(0.5);
  });
});
