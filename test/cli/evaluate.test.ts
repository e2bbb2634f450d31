import { expect, test } from 'vitest';
import type { RealArray } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { slicesBetween } from '#larmor/arrays/slices.js';
import { writeImages } from '#larmor/io/image-file.js';
import { centerCrop, evaluateVolume } from '#larmor/metrics/metrics.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { runCli } from '../support/run-cli.js';

const file = temporaryFolder();
const random = new MT19937(1);
const volume = (shape: readonly number[]): RealArray => {
  const length = shape.reduce((product, n) => product * n, 1);
  return { data: Float32Array.from({ length }, () => random.uniform(0, 3)), shape };
};

test('a volume and its slices, as evaluateVolume measures them', async () => {
  const [reference, prediction] = [volume([3, 16, 12]), volume([3, 16, 14])];
  await writeImages(file('reference.h5'), { reconstruction_rss: reference }, {});
  await writeImages(file('out.h5'), { reconstruction: prediction }, {});
  const { exitCode, stdout } = await runCli(['evaluate', file('out.h5'), file('reference.h5'), '--json']);
  expect(exitCode).toBe(0);
  const printed = JSON.parse(stdout);
  // fastMRI crops both to a square of the reference's width.
  const [a, b] = [centerCrop(reference, [12, 12]), centerCrop(prediction, [12, 12])];
  expect(printed.metrics).toEqual(evaluateVolume(a, b));
  expect(printed.slices.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2]);
  const mean = printed.slices.reduce((sum: number, { ssim }: { ssim: number }) => sum + ssim / 3, 0);
  expect(mean).toBeCloseTo(printed.metrics.ssim, 12);
});

test('some slices of the reference, for people', async () => {
  const reference = volume([4, 8, 8]);
  await writeImages(file('all.h5'), { reconstruction_rss: reference }, {});
  await writeImages(file('two.h5'), { reconstruction: slicesBetween(reference, 1, 3) }, {});
  const args = ['evaluate', file('two.h5'), file('all.h5')];
  const { exitCode, stdout } = await runCli([...args, '--slices', '1:3']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^slice 2 +1\.0000 +1\.0000 +Infinity +0\.00$/m);
  expect(stdout).toMatch(/^volume +1\.0000/m);

  const unnamed = await runCli(args);
  expect(unnamed.exitCode).toBe(1);
  expect(unnamed.stderr).toMatch(/ERR_SHAPE.*--slices A:B/);
  const beyond = await runCli([...args, '--slices', '3:5']);
  expect(beyond.exitCode).toBe(2);
});

test('smaller images than the reference are refused', async () => {
  await writeImages(file('small.h5'), { reconstruction: volume([1, 8, 8]) }, {});
  await writeImages(file('large.h5'), { reconstruction_rss: volume([1, 9, 9]) }, {});
  const { exitCode, stdout } = await runCli(['evaluate', file('small.h5'), file('large.h5'), '--json']);
  expect([exitCode, JSON.parse(stdout).error.code]).toEqual([1, 'ERR_SHAPE']);
});
