import { expect, test } from 'vitest';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { magnitude } from '#larmor/arrays/magnitude.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { percentile } from '#larmor/arrays/percentile.js';
import { createNetwork } from '#larmor/networks/network.js';
import { checkInputKind, networkInput } from '#larmor/networks/network-input.js';
import { Coils } from '#larmor/operators/coils.js';
import { Fft2 } from '#larmor/operators/fft2.js';

const random = new MT19937(3);
const complex = (...shape: number[]): ComplexArray => ({
  data: Float32Array.from({ length: 2 * shape.reduce((a, b) => a * b, 1) }, () => random.uniform() - 0.5),
  shape,
});
const coils = 3;
const shape = [6, 5] as const;
const mask = { data: Uint8Array.of(1, 0, 1, 1, 0), shape: [5] as const };
const maps = complex(coils, ...shape);
const kspace = complex(coils, ...shape);
kspace.data.forEach((_, i) => {
  if (mask.data[(i >> 1) % 5] === 0) kspace.data[i] = 0;
});
/** Relative error of float32 sums over a few coils. */
const TOLERANCE = 1e-6;

test('sense: the conjugate-map combination of the zero-filled coil images', async () => {
  const { image, scale } = await networkInput(kspace, maps, mask, 'sense');
  const want = await new Coils(maps).adjoint(await new Fft2(kspace.shape).adjoint(kspace));
  const worst = Math.max(...image.data.map((value, i) => Math.abs(value - want.data[i])));
  expect(worst).toBeLessThan(TOLERANCE);
  expect(scale * percentile(magnitude(image).data, 95)).toBeCloseTo(1, 6);
});

test('split-rss: root sum of squares of real and of imaginary parts, apart', async () => {
  const { image } = await networkInput(kspace, maps, mask, 'split-rss');
  const coilImages = await new Fft2(kspace.shape).adjoint(kspace);
  for (let i = 0; i < image.data.length; i += 1) {
    const parts = Array.from({ length: coils }, (_, c) => coilImages.data[c * image.data.length + i]);
    expect(image.data[i]).toBeCloseTo(Math.hypot(...parts), 6);
  }
});

test('a slice without signal has no scale', async () => {
  const empty = { ...kspace, data: new Float32Array(kspace.data.length) };
  await expect(networkInput(empty, maps, mask, 'sense')).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});

test.each(['modl', 'unrolled'])('%s takes A^H y alone', (kind) => {
  const network = createNetwork(kind, {});
  expect(() => checkInputKind('train', network, 'sense')).not.toThrow();
  expect(() => checkInputKind('train', network, 'split-rss')).toThrow(
    expect.objectContaining({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(`train: input of network ${kind} must be "sense"`),
    }),
  );
});

test.each([
  ['unet', {}],
  ['varnet', { sensitivity: null }],
])('%s takes either image', (kind, config) => {
  expect(() => checkInputKind('train', createNetwork(kind, config), 'split-rss')).not.toThrow();
});
