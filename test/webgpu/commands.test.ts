// `larmor recon --adapt` and `larmor train` on WebGPU, through the command line, against the CPU.
import { expect, test } from 'vitest';
import { adaptOn, trainOn } from '../support/commands-on-device.js';
import { relativeError } from '../support/graph-checks.js';
import { temporaryFolder } from '../support/hdf5-files.js';

const file = temporaryFolder();

test('larmor recon --adapt', async () => {
  const [want, got] = [await adaptOn('cpu', file), await adaptOn('webgpu', file)];
  expect(got.json).toMatchObject({
    device: 'webgpu',
    deviceReason: 'asked for',
    slices: [{ device: 'webgpu', adaptation: { iterations: 3 } }],
  });
  expect(relativeError(got.image, want.image)).toBeLessThan(1e-4);
});

test('larmor train', async () => {
  const [want, got] = [await trainOn('cpu', file), await trainOn('webgpu', file)];
  expect(got.json).toMatchObject({ device: 'webgpu', steps: 4, stop: 'steps' });
  expect(relativeError(got.weights, want.weights)).toBeLessThan(1e-4);
});
