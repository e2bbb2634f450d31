// Changed slices against plain loops over images, and the example they become.
import { describe, expect, test } from 'vitest';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { percentile } from '#larmor/arrays/percentile.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { Fft2 } from '#larmor/operators/fft2.js';
import { Mask } from '#larmor/operators/mask.js';
import { changedSlice, drawChange, type SliceChange } from '#larmor/training/augmentation.js';
import { Dataset } from '#larmor/training/dataset.js';
import type { TrainingSampling } from '#larmor/training/measurement.js';
import type { PreparedSlice } from '#larmor/training/prepared-slices.js';
import { phantomSource } from '#larmor/training/sources.js';
import { relativeError, uniform } from '../support/graph-checks.js';

const COILS = 2;

/** Coil images y = S x with random maps and image, and their k-space. */
async function randomSlice(height: number, width: number): Promise<PreparedSlice & { readonly target: ComplexArray }> {
  const random = new MT19937(3);
  const shape = [COILS, height, width];
  const maps = { data: uniform(random, 2 * COILS * height * width), shape };
  const target = { data: uniform(random, 2 * height * width), shape: [height, width] };
  const all = { data: new Uint8Array(width).fill(1), shape: [width] as const };
  return { maps, target, kspace: await new EncodingOperator({ maps, mask: all }).apply(target), brightness: 1 };
}

/** The change of an image [..., y, x], pixel by pixel, about the centres floor(n / 2). */
function moved({ data, shape }: ComplexArray, change: SliceChange, phase = 0): ComplexArray {
  const [oldHeight, oldWidth] = shape.slice(-2);
  const [height, width] = change.transpose ? [oldWidth, oldHeight] : [oldHeight, oldWidth];
  const pixels = height * width;
  const result = new Float32Array(data.length);
  for (let image = 0; image < data.length / (2 * pixels); image++)
    for (let y = 0; y < oldHeight; y++)
      for (let x = 0; x < oldWidth; x++) {
        let [row, column] = change.transpose ? [x, y] : [y, x];
        // Reflection of the offset from the centre, then the shift; both around the edge.
        const around = (value: number, n: number): number => ((value % n) + n) % n;
        const [cy, cx] = [Math.floor(height / 2), Math.floor(width / 2)];
        if (change.mirror[0]) row = cy - (row - cy);
        if (change.mirror[1]) column = cx - (column - cx);
        row = around(row + change.shift[0], height);
        column = around(column + change.shift[1], width);
        const from = 2 * (image * pixels + y * oldWidth + x);
        const to = 2 * (image * pixels + row * width + column);
        result[to] = data[from] * Math.cos(phase) - data[from + 1] * Math.sin(phase);
        result[to + 1] = data[from] * Math.sin(phase) + data[from + 1] * Math.cos(phase);
      }
  return { data: result, shape: [...shape.slice(0, -2), height, width] };
}

describe.each([
  [8, 8],
  [7, 7],
  [6, 9],
])('a slice of %d x %d', (height, width) => {
  const still: SliceChange = { transpose: false, mirror: [false, false], shift: [0, 0], phase: 0, intensity: 1 };
  test.each<[string, Partial<SliceChange>]>([
    ['mirrored along y', { mirror: [true, false] }],
    ['mirrored along x', { mirror: [false, true] }],
    ['shifted', { shift: [2, -3] }],
    ['turned in phase', { phase: 2 }],
    ['transposed', { transpose: true }],
    ['all of it', { transpose: true, mirror: [true, true], shift: [-1, 2], phase: -1 }],
  ])('%s: image, maps and k-space fit each other', async (_, part) => {
    const change = { ...still, ...part };
    const slice = await randomSlice(height, width);
    const changed = await changedSlice(slice, change);
    const image = moved(slice.target, change, change.phase);
    const coilImages = await new Fft2(slice.kspace.shape).adjoint(slice.kspace);
    const movedCoils = moved(coilImages, change, change.phase);
    expect(changed.target?.shape).toEqual(image.shape);
    expect(relativeError(changed.target?.data ?? [], image.data)).toBeLessThan(1e-6);
    expect(changed.maps).toEqual(moved(slice.maps, change));
    const expected = await new Fft2(movedCoils.shape).apply(movedCoils);
    expect(changed.kspace.shape).toEqual(expected.shape);
    expect(relativeError(changed.kspace.data, expected.data)).toBeLessThan(1e-6);
  });

  test.each([['lines'], ['points']])('the samples of an undersampled one go along: a mask of %s', async (kind) => {
    const { kspace, maps, brightness } = await randomSlice(height, width);
    const shape = kind === 'lines' ? ([width] as const) : ([height, width] as const);
    const own = {
      data: Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Number(i % 3 > 0)),
      shape,
    };
    const measured = await new Mask(own, kspace.shape).apply(kspace);
    const change = { ...still, transpose: true, mirror: [false, true], shift: [1, 2] } as const;
    const changed = await changedSlice({ kspace: measured, own, maps, target: undefined, brightness }, change);
    expect(changed.target).toBeUndefined();
    const sampled = Uint8Array.from({ length: height * width }, (_, i) => Number(changed.kspace.data[2 * i] !== 0));
    expect(changed.own?.data).toEqual(sampled);
  });
});

test('draws every change there is, and none that is not asked for', () => {
  const random = new MT19937(1);
  const all = { flip: true, transpose: true, shift: 2, phase: true, intensity: [0.5, 2] } as const;
  const changes = Array.from({ length: 200 }, () => drawChange(random, all, [1, 8, 8]));
  expect(new Set(changes.map(({ transpose, mirror }) => `${transpose}${mirror}`)).size).toBe(8);
  expect(new Set(changes.map(({ shift }) => String(shift))).size).toBe(25);
  for (const { phase, intensity } of changes) {
    expect(Math.abs(phase)).toBeLessThanOrEqual(Math.PI);
    expect(intensity).toBeGreaterThanOrEqual(0.5);
    expect(intensity).toBeLessThan(2);
  }
  for (let i = 0; i < 50; i++) expect(drawChange(random, { transpose: true }, [1, 8, 10]).transpose).toBe(false);
  expect(drawChange(random, {}, [1, 8, 8])).toEqual({
    transpose: false,
    mirror: [false, false],
    shift: [0, 0],
    phase: 0,
    intensity: 1,
  });
});

test('examples are changed anew at every draw, but for the first', async () => {
  const source = phantomSource({
    families: ['limb'],
    subjects: 1,
    slices: 1,
    size: 32,
    coils: 2,
    snr: [50, 100],
    seed: 1,
  });
  const sampling: TrainingSampling = { type: 'random', acceleration: 3, centerFraction: 0.25, fixed: true, seed: 4 };
  const plain = await Dataset.prepare(source, { sampling, input: 'sense' });
  const augmentation = { flip: true, shift: 4, intensity: [2, 2] } as const;
  const varied = await Dataset.prepare(source, { sampling, input: 'sense', augmentation });
  const names = ['image', 'kspace', 'maps', 'target', 'mask'];
  expect(await varied.sample(0, 0, names)).toEqual(await plain.sample(0, 0, names));
  const [one, two, again] = [
    await varied.sample(0, 1, names),
    await varied.sample(0, 2, names),
    await varied.sample(0, 1, names),
  ];
  expect(again).toEqual(one);
  expect(two.target).not.toEqual(one.target);
  // The zero-filled image belongs to maps and samples, at twice the usual brightness: its 95th percentile is 2.
  const shape = [2, 32, 32];
  const encoding = new EncodingOperator({
    maps: { data: one.maps, shape },
    mask: { data: Uint8Array.from(one.mask), shape: [32] },
  });
  const { data } = await encoding.adjoint({ data: one.kspace, shape });
  const points = 32 * 32;
  expect(
    relativeError(
      Float32Array.from(data, (_, i) => one.image[(i % 2) * points + (i >> 1)]),
      data,
    ),
  ).toBeLessThan(1e-6);
  const magnitudes = Float32Array.from({ length: points }, (_, i) => Math.hypot(one.image[i], one.image[points + i]));
  expect(percentile(magnitudes, 95)).toBeCloseTo(2, 5);
});
