import { expect, test } from 'vitest';
import { renderPhantom } from '#larmor/simulation/phantom.js';
import { simulateScan } from '#larmor/simulation/scan.js';
import { simulateVolume } from '#larmor/simulation/volume.js';
import { directDft, relativeError } from '../support/complex.js';

test('is the scan of its slices, transformed across them', async () => {
  const [slices, coils, size] = [5, 3, 16];
  const object = await renderPhantom({ family: 'limb', seed: 2, size: 32, slices });
  const options = { coils, size, snr: 30, seed: 4 };
  const stack = await simulateScan(object, options);
  const { kspace, image, reference } = await simulateVolume(object, options);
  expect(kspace.shape).toEqual([coils, size, slices, size]);
  expect(image.shape).toEqual([size, slices, size]);

  const expected = Float64Array.from(stack.kspace.data);
  const stride = coils * size * size;
  directDft(
    expected,
    slices,
    stride,
    Array.from({ length: stride }, (_, i) => i),
    false,
  );
  const turned = new Float64Array(expected.length);
  for (let i = 0; i < expected.length / 2; i += 1) {
    const [slice, coil, row, column] = [
      Math.floor(i / stride),
      Math.floor(i / size ** 2) % coils,
      Math.floor(i / size) % size,
      i % size,
    ];
    turned.set(expected.subarray(2 * i, 2 * i + 2), 2 * (((coil * size + row) * slices + slice) * size + column));
  }
  expect(relativeError(kspace.data, turned)).toBeLessThan(1e-6);

  for (const [row, slice, column] of [
    [3, 4, 7],
    [9, 0, 8],
  ])
    expect(reference.data[(row * slices + slice) * size + column]).toBe(
      stack.reference.data[(slice * size + row) * size + column],
    );
});
