import { describe, expect, test } from 'vitest';
import type { ComplexArray, Shape } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { fft2 } from '#larmor/operators/fft2.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { locallyLowRank } from '#larmor/solvers/locally-low-rank.js';
import { sameBits } from '../support/bits.js';
import { inner, noise, norm, relativeError } from '../support/complex.js';
import { unitMaps } from '../support/maps.js';
import { lineMask, pointMask } from '../support/masks.js';

const full = (n: number): SamplingMask => ({ data: new Uint8Array(n).fill(1), shape: [n] });

/** Images [n, y, x] that are multiples of one image, the factors of unit norm; its norm in every block is the singular value. */
function rankOne(n: number, ny: number, nx: number): { stack: ComplexArray; image: ComplexArray } {
  const image = noise([ny, nx], 31);
  const factors = noise([n], 32).data;
  const length = norm(factors);
  const data = new Float32Array(2 * n * ny * nx);
  for (let c = 0; c < n; c += 1)
    for (let p = 0; p < ny * nx; p += 1) {
      const [ar, ai, br, bi] = [factors[2 * c], factors[2 * c + 1], image.data[2 * p], image.data[2 * p + 1]];
      data[2 * (c * ny * nx + p)] = (ar * br - ai * bi) / length;
      data[2 * (c * ny * nx + p) + 1] = (ar * bi + ai * br) / length;
    }
  return { stack: { data, shape: [n, ny, nx] }, image };
}

/** Calls body(rows from, to, columns from, to) for every block. */
function eachBlock(ny: number, nx: number, block: number, body: (area: readonly number[]) => void): void {
  for (let y = 0; y < ny; y += block)
    for (let x = 0; x < nx; x += block) body([y, Math.min(ny, y + block), x, Math.min(nx, x + block)]);
}

const eachPixel = ([y0, y1, x0, x1]: readonly number[], nx: number, body: (pixel: number) => void): void => {
  for (let y = y0; y < y1; y += 1) for (let x = x0; x < x1; x += 1) body(y * nx + x);
};

test('with full sampling blocks of rank one lose the threshold, at the far edges too', async () => {
  const [n, ny, nx, block, weight] = [5, 21, 18, 8, 0.7];
  const { stack, image } = rankOne(n, ny, nx);
  const wanted = Float32Array.from(stack.data);
  let penalty = 0;
  let misfit = 0;
  eachBlock(ny, nx, block, (area) => {
    let energy = 0;
    let pixels = 0;
    eachPixel(area, nx, (p) => {
      energy += image.data[2 * p] ** 2 + image.data[2 * p + 1] ** 2;
      pixels += 1;
    });
    const threshold = weight * (Math.sqrt(pixels) + Math.sqrt(n));
    const left = Math.max(0, Math.sqrt(energy) - threshold);
    penalty += threshold * left;
    misfit += (Math.sqrt(energy) - left) ** 2 / 2;
    for (let c = 0; c < n; c += 1)
      eachPixel(area, nx, (p) => {
        for (const part of [0, 1]) wanted[2 * (c * ny * nx + p) + part] *= left / Math.sqrt(energy);
      });
  });
  const settings = { lambda: 0.35, scale: 2, randomGrid: false };
  const { x, stop, objective } = await locallyLowRank(await fft2(stack), { mask: full(nx) }, settings);
  expect(stop).toBe('tolerance');
  expect(x.shape).toEqual([n, ny, nx]);
  expect(relativeError(x.data, wanted)).toBeLessThan(1e-5);
  expect(Math.abs(objective / (misfit + penalty) - 1)).toBeLessThan(1e-5);
});

test('singular values of any rank are shrunk: orthogonal images lose the threshold each', async () => {
  // One block; images with disjoint supports are orthogonal, so that their norms are the singular values.
  const [n, side] = [4, 8];
  const stack = noise([n, side, side], 33);
  for (let c = 0; c < n; c += 1)
    for (let p = 0; p < side * side; p += 1)
      if (p % n !== c) stack.data.fill(0, 2 * (c * side * side + p), 2 * (c * side * side + p) + 2);
      else for (const part of [0, 1]) stack.data[2 * (c * side * side + p) + part] *= c + 1;
  const threshold = 0.6 * (side + Math.sqrt(n));
  const wanted = Float32Array.from(stack.data);
  for (let c = 0; c < n; c += 1) {
    const image = wanted.subarray(2 * c * side * side, 2 * (c + 1) * side * side);
    const factor = Math.max(0, 1 - threshold / norm(image));
    image.forEach((value, i) => {
      image[i] = value * factor;
    });
  }
  const settings = { lambda: 0.6, scale: 1, randomGrid: false };
  const { x } = await locallyLowRank(await fft2(stack), { mask: full(side) }, settings);
  expect(relativeError(x.data, wanted)).toBeLessThan(1e-5);
});

/** k-space [frame, coil, ky, kx] of frames that are one image in several brightnesses, each sampled otherwise. */
async function series(maps: ComplexArray, masks: readonly SamplingMask[], frames: readonly ComplexArray[]) {
  const encoded = await Promise.all(
    frames.map((frame, f) => new EncodingOperator({ maps, mask: masks[f % masks.length] }).apply(frame)),
  );
  const data = new Float32Array(encoded.length * encoded[0].data.length);
  encoded.forEach((kspace, f) => {
    data.set(kspace.data, f * kspace.data.length);
  });
  return { data, shape: [encoded.length, ...encoded[0].shape] };
}

test('frames alike but for their brightness are recovered jointly from masks that complete each other', async () => {
  const [ny, nx] = [24, 24];
  const maps = unitMaps([1, ny, nx], 34); // one coil: no frame could be unfolded alone
  const image = noise([ny, nx], 35);
  const random = new MT19937(42);
  const frames = Array.from({ length: 12 }, () => {
    const brightness = random.uniform() + 0.5;
    return { data: image.data.map((value) => brightness * value), shape: image.shape };
  });
  const masks = frames.map((): SamplingMask => {
    const data = Uint8Array.from({ length: nx }, (_, x) => ((x > 9 && x < 15) || random.uniform() < 0.4 ? 1 : 0));
    return { data, shape: [nx] };
  });
  const kspace = await series(maps, masks, frames);
  const settings = { lambda: 1e-3, maxIterations: 2000, tolerance: 1e-6, blockSize: 24, randomGrid: false };
  const { x } = await locallyLowRank(kspace, { maps, mask: masks }, settings);
  expect(x.shape).toEqual([12, ny, nx]);
  const truth = Float32Array.from(frames.flatMap(({ data }) => [...data]));
  const alone = await Promise.all(
    frames.map((_, f) =>
      new EncodingOperator({ maps, mask: masks[f] }).adjoint({
        data: kspace.data.subarray(2 * f * ny * nx, 2 * (f + 1) * ny * nx),
        shape: [1, ny, nx],
      }),
    ),
  );
  const errorAlone = relativeError(Float32Array.from(alone.flatMap(({ data }) => [...data])), truth);
  expect(relativeError(x.data, truth)).toBeLessThan(errorAlone / 20);
});

describe('frames', () => {
  const masks = [pointMask(20, 18), pointMask(20, 18)];
  const stackMaps = (shape: Shape): ComplexArray => unitMaps(shape, 36);
  const settings = { lambda: 0.05, scale: 1, maxIterations: 6, seed: 3 };

  test('maps with sets, shared or of each frame, give the same where they are the same', async () => {
    const maps = stackMaps([2, 3, 20, 18]);
    const perFrame = { data: Float32Array.from([...maps.data, ...maps.data]), shape: [2, 2, 3, 20, 18] };
    const kspace = noise([2, 3, 20, 18], 37);
    const shared = await locallyLowRank(kspace, { maps, mask: masks }, settings);
    const own = await locallyLowRank(kspace, { maps: perFrame, mask: masks }, settings);
    const oneMask = await locallyLowRank(kspace, { maps, mask: masks[0] }, settings);
    expect(shared.x.shape).toEqual([2, 2, 20, 18]);
    expect(sameBits(own.x.data, shared.x.data)).toBe(true);
    expect(sameBits(oneMask.x.data, shared.x.data)).toBe(true);
  });

  test('are bit-equal for any number of threads and the same seed', async () => {
    const maps = stackMaps([3, 20, 18]);
    const kspace = noise([2, 3, 20, 18], 38);
    const runs = [1, 2, 3].map((threads) => locallyLowRank(kspace, { maps, mask: masks }, { ...settings, threads }));
    const results = await Promise.all(runs);
    for (const { x } of results) expect(sameBits(x.data, results[0].x.data)).toBe(true);
    const other = await locallyLowRank(kspace, { maps, mask: masks }, { ...settings, seed: 4 });
    expect(sameBits(other.x.data, results[0].x.data)).toBe(false);
    expect(inner(other.x, results[0].x).re).toBeGreaterThan(0);
  });
});

test('a block larger than the image is the image, however large', async () => {
  const kspace = noise([3, 16, 12], 42);
  const run = async (blockSize: number): Promise<Float32Array> => {
    const settings = { lambda: 0.05, scale: 1, maxIterations: 3, randomGrid: false, blockSize };
    return (await locallyLowRank(kspace, { mask: lineMask(12) }, settings)).x.data;
  };
  expect(sameBits(await run(2 ** 40), await run(16))).toBe(true);
});

test('refuses what does not fit', async () => {
  const kspace = noise([3, 16, 16], 39);
  const mask = lineMask(16);
  const frames = noise([2, 3, 16, 16], 40);
  const maps = unitMaps([3, 16, 16], 41);
  const bad = { data: Float32Array.from(kspace.data).fill(Number.NaN, 7, 8), shape: kspace.shape };
  const calls: readonly [Promise<unknown>, string][] = [
    [locallyLowRank(kspace, { mask, maps }), 'ERR_SHAPE'],
    [locallyLowRank(frames, { mask }), 'ERR_SHAPE'],
    [locallyLowRank(frames, { mask, maps: unitMaps([4, 16, 16], 1) }), 'ERR_SHAPE'],
    [locallyLowRank(frames, { mask, maps: unitMaps([3, 1, 3, 16, 16], 1) }), 'ERR_SHAPE'],
    [locallyLowRank(frames, { mask: [mask, mask, mask], maps }), 'ERR_MASK'],
    [locallyLowRank(frames, { mask: [mask, pointMask(16, 16)], maps }), 'ERR_MASK'],
    [locallyLowRank(kspace, { mask }, { blockSize: 0 }), 'ERR_ARGUMENT'],
    [locallyLowRank(kspace, { mask }, { lambda: -1 }), 'ERR_ARGUMENT'],
    [locallyLowRank(bad, { mask }, { scale: 1 }), 'ERR_NOT_FINITE'],
  ];
  for (const [call, code] of calls) await expect(call).rejects.toMatchObject({ code });
});
