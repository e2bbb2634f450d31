// Simulated scans by the definition of what they are, and the images they are made of.
import { describe, expect, test } from 'vitest';
import type { ComplexArray, RealArray } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { augmentSlice, objectMedian, resizeSlices } from '#larmor/simulation/magnitude.js';
import { type SimulationOptions, simulateScan } from '#larmor/simulation/scan.js';

/** A bright disc and a smooth blob. */
function object(side: number, slices = 1): RealArray {
  const data = new Float32Array(slices * side * side);
  for (let i = 0; i < data.length; ++i) {
    const x = (2 * ((i % side) - (side >> 1))) / side;
    const y = (2 * ((Math.floor(i / side) % side) - (side >> 1))) / side;
    data[i] = Math.exp(-((x / 0.35) ** 2) - (y / 0.4) ** 2);
  }
  return { data, shape: [slices, side, side] };
}

/** k-space sample [coil, ky, kx] of maps * image by the definition of the centred unitary DFT, in double precision. */
function directSample(maps: ComplexArray, image: ComplexArray, coil: number, ky: number, kx: number): [number, number] {
  const [, size] = maps.shape;
  const centre = size >> 1;
  let re = 0;
  let im = 0;
  for (let y = 0; y < size; ++y)
    for (let x = 0; x < size; ++x) {
      const p = 2 * (y * size + x);
      const m = 2 * (coil * size * size + y * size + x);
      const valueRe = maps.data[m] * image.data[p] - maps.data[m + 1] * image.data[p + 1];
      const valueIm = maps.data[m] * image.data[p + 1] + maps.data[m + 1] * image.data[p];
      const angle = (-2 * Math.PI * ((y - centre) * (ky - centre) + (x - centre) * (kx - centre))) / size;
      re += valueRe * Math.cos(angle) - valueIm * Math.sin(angle);
      im += valueRe * Math.sin(angle) + valueIm * Math.cos(angle);
    }
  return [re / size, im / size];
}

describe('simulateScan', () => {
  const slice = (scan: ComplexArray): ComplexArray => ({ data: scan.data, shape: scan.shape.slice(1) });

  test.each([32, 31])(
    'without noise is the DFT of maps times image, and the image the object (side %i)',
    async (side) => {
      const volume = object(side);
      const scan = await simulateScan(volume, { coils: 3, snr: Number.POSITIVE_INFINITY, seed: 1 });
      expect(scan.kspace.shape).toEqual([1, 3, side, side]);
      expect(Math.max(...scan.reference.data.map((value, i) => Math.abs(value - volume.data[i])))).toBeLessThan(3e-6);
      for (const [coil, ky, kx] of [
        [0, 0, 0],
        [1, side >> 1, side >> 1],
        [2, 17, 11],
        [1, 15, 18],
      ]) {
        const [re, im] = directSample(slice(scan.maps), slice(scan.image), coil, ky, kx);
        const index = 2 * ((coil * side + ky) * side + kx);
        expect(scan.kspace.data[index]).toBeCloseTo(re, 4);
        expect(scan.kspace.data[index + 1]).toBeCloseTo(im, 4);
      }
    },
  );

  test('noise has the deviation that the SNR asks for, independent in every sample', async () => {
    const volume = object(64);
    const options = { coils: 4, seed: 7 };
    const clean = await simulateScan(volume, { ...options, snr: Number.POSITIVE_INFINITY });
    const noisy = await simulateScan(volume, { ...options, snr: 25 });
    const noise = noisy.kspace.data.map((value, i) => value - clean.kspace.data[i]);
    const sigma = objectMedian(volume) / 25;
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const deviation = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0) / noise.length);
    const neighbours = noise.reduce((sum, value, i) => sum + value * (noise[i + 1] ?? 0), 0) / noise.length;
    // 32768 samples: five standard errors of mean, deviation and correlation.
    expect(Math.abs(mean / sigma)).toBeLessThan(0.028);
    expect(Math.abs(deviation / sigma - 1)).toBeLessThan(0.02);
    expect(Math.abs(neighbours / sigma ** 2)).toBeLessThan(0.028);
    expect(noisy.image.data).toEqual(clean.image.data);
  });

  test.each([
    [64, 32],
    [64, 31],
    [63, 32],
  ])('keeping the centre of k-space (%i to %i) keeps a smooth object as it is', async (side, size) => {
    const scan = await simulateScan(object(side), { coils: 4, snr: Number.POSITIVE_INFINITY, seed: 2, size });
    const want = object(size);
    const difference = scan.reference.data.map((value, i) => Math.abs(value - want.data[i]));
    // The sensitivities of few coils are not quite band-limited.
    expect(Math.max(...difference)).toBeLessThan(0.02);
  });

  test('without phase variation the image has one phase throughout', async () => {
    const phases = async (phase: number): Promise<number[]> => {
      const { image, reference } = await simulateScan(object(32), { coils: 4, snr: Infinity, seed: 3, phase });
      const inside = [...reference.data.keys()].filter((i) => reference.data[i] > 0.3);
      const [first] = inside;
      const turn = (i: number): number => Math.atan2(image.data[2 * i + 1], image.data[2 * i]);
      return inside.map((i) => Math.abs(Math.sin((turn(i) - turn(first)) / 2)));
    };
    expect(Math.max(...(await phases(0)))).toBeLessThan(1e-5);
    expect(Math.max(...(await phases(1)))).toBeGreaterThan(0.05);
    await expect(phases(-1)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  test('stacks slices, the same for one seed', async () => {
    const options = { coils: 2, seed: 3, size: 16 };
    const seen: number[] = [];
    const scan = await simulateScan(object(32, 3), options, { onProgress: (fraction) => seen.push(fraction) });
    expect(scan.kspace.shape).toEqual([3, 2, 16, 16]);
    expect(scan.maps.shape).toEqual([3, 2, 16, 16]);
    expect(scan.reference.shape).toEqual([3, 16, 16]);
    expect(seen.at(-1)).toBe(1);
    const again = await simulateScan(object(32, 3), options, { threads: 1 });
    expect(again.kspace.data).toEqual(scan.kspace.data);
  });

  test.each<[string, RealArray, Partial<SimulationOptions>, string]>([
    ['slices that are not square', { data: new Float32Array(64).fill(1), shape: [1, 4, 16] }, {}, 'ERR_SHAPE'],
    ['an image instead of a volume', { data: new Float32Array(64).fill(1), shape: [8, 8] }, {}, 'ERR_SHAPE'],
    ['an empty object', { data: new Float32Array(256), shape: [1, 16, 16] }, {}, 'ERR_ARGUMENT'],
    ['no coils', object(16), { coils: 0 }, 'ERR_ARGUMENT'],
    ['SNR 0', object(16), { snr: 0 }, 'ERR_ARGUMENT'],
    ['SNR that is not a number', object(16), { snr: Number.NaN }, 'ERR_ARGUMENT'],
    ['a size above the object', object(16), { size: 17 }, 'ERR_ARGUMENT'],
  ])('rejects %s', async (_, volume, change, code) => {
    await expect(simulateScan(volume, { seed: 1, ...change })).rejects.toMatchObject({ code });
  });

  test('rejects with the reason when aborted', async () => {
    const reason = new Error('enough');
    await expect(simulateScan(object(16), { seed: 1 }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('resizeSlices', () => {
  const random = new MT19937(8);
  const volume: RealArray = {
    data: Float32Array.from({ length: 2 * 24 * 24 }, () => random.uniform()),
    shape: [2, 24, 24],
  };

  test('shrinking by a whole factor averages blocks', async () => {
    const { data } = await resizeSlices(volume, 8);
    for (const [s, y, x] of [
      [0, 0, 0],
      [1, 3, 5],
      [1, 7, 7],
    ]) {
      let mean = 0;
      for (let j = 0; j < 3; ++j)
        for (let i = 0; i < 3; ++i) mean += volume.data[(s * 24 + 3 * y + j) * 24 + 3 * x + i] / 9;
      expect(data[(s * 8 + y) * 8 + x]).toBeCloseTo(mean, 6);
    }
  });

  test('growing is linear between pixel centres', async () => {
    const ramp: RealArray = { data: Float32Array.from({ length: 256 }, (_, i) => (i % 16) + 1), shape: [1, 16, 16] };
    const { data } = await resizeSlices(ramp, 32);
    // Pixel i of 32 lies at (i + 0.5) / 2 - 0.5 of 16.
    for (let i = 2; i < 30; ++i) expect(data[16 * 32 + i]).toBeCloseTo((i + 0.5) / 2 - 0.5 + 1, 5);
  });

  test('keeps the shape of what it shows: pads the shorter side, heeds the spacing', async () => {
    const flat: RealArray = { data: new Float32Array(10 * 20).fill(1), shape: [1, 10, 20] };
    const padded = await resizeSlices(flat, 20);
    expect(padded.data[2 * 20 + 10]).toBe(0);
    expect(padded.data[10 * 20 + 10]).toBeCloseTo(1, 6);
    // Pixels twice as high as wide: the field of view is square again, but for the blend into what lies beside it.
    const { data } = await resizeSlices(flat, 20, [2, 1]);
    for (let y = 1; y < 19; ++y) for (let x = 0; x < 20; ++x) expect(data[y * 20 + x]).toBeCloseTo(1, 6);
  });

  test.each([
    [volume, 4, 'ERR_ARGUMENT'],
    [{ data: volume.data, shape: [24, 48] }, 16, 'ERR_SHAPE'],
  ])('rejects %#', async (source, size, code) => {
    await expect(resizeSlices(source, size)).rejects.toMatchObject({ code });
  });
});

describe('augmentSlice', () => {
  const slice: RealArray = { data: object(40).data, shape: [40, 40] };
  const sum = (image: RealArray): number => image.data.reduce((total, value) => total + value, 0);

  test('changes place and shape a little, brightness not', () => {
    for (let seed = 0; seed < 10; ++seed) {
      const varied = augmentSlice(new MT19937(seed), slice);
      expect(sum(varied) / sum(slice)).toBeGreaterThan(0.75);
      expect(sum(varied) / sum(slice)).toBeLessThan(1.3);
      expect(Math.max(...varied.data)).toBeGreaterThan(0.9);
      expect(varied.data).not.toEqual(slice.data);
    }
  });

  test('draws the same variation for the same seed', () => {
    expect(augmentSlice(new MT19937(3), slice)).toEqual(augmentSlice(new MT19937(3), slice));
  });
});

test('objectMedian is the median of what is not background', () => {
  const data = new Float32Array(100);
  data.set([2, 3, 4, 5, 6], 40);
  data.set(Array(20).fill(0.01), 60);
  expect(objectMedian({ data, shape: [1, 10, 10] })).toBe(4);
});
