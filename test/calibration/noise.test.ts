import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { noiseCovariance, whiten, whiteningMatrix } from '#larmor/calibration/noise.js';
import { noiseFromBackground } from '#larmor/calibration/noise-region.js';
import { openScan } from '#larmor/io/scan.js';
import { fft2 } from '#larmor/operators/fft2.js';
import { sameBits } from '../support/bits.js';
import { noise } from '../support/complex.js';
import { columnsWhere } from '../support/masks.js';
import { describeShared, shared } from '../support/shared.js';

/** A matrix that couples three coils of unequal noise, and its product with its adjoint. */
const MIX = [
  [1, 0, 0],
  [0.5, 2, 0],
  [-0.25, 1, 0.125],
];
const COVARIANCE = MIX.map((row) => MIX.map((other) => row.reduce((sum, value, k) => sum + value * other[k], 0)));

/** Coupled noise [3, ...shape] whose covariance is 2 COVARIANCE: real and imaginary parts have deviation 1 before the mixing. */
function coupledNoise(shape: readonly number[], seed: number): ComplexArray {
  const white = noise([3, ...shape], seed);
  const coupled = complexZeros(white.shape);
  const length = white.data.length / 3;
  coupled.data.forEach((_, at) => {
    const [coil, i] = [Math.floor(at / length), at % length];
    coupled.data[at] = MIX[coil].reduce((sum, value, k) => sum + value * white.data[k * length + i], 0);
  });
  return coupled;
}

const entries = (matrix: ArrayLike<number>, n: number): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => matrix[2 * (i * n + j)]));

/** Relative to the deviations of the two coils: entries of a covariance of n samples are known to 1 / sqrt(n), here within five times that. */
function expectCovariance(matrix: ArrayLike<number>, wanted: number[][], samples: number): void {
  entries(matrix, wanted.length).forEach((row, i) => {
    row.forEach((value, j) => {
      const scale = Math.sqrt(wanted[i][i] * wanted[j][j]);
      expect(Math.abs(value - wanted[i][j])).toBeLessThan((5 * scale) / Math.sqrt(samples));
    });
  });
}

describe('noiseCovariance', () => {
  test('is the mean product of samples, by hand', async () => {
    const data = Float32Array.from([1, 1, 2, 0, 0, 1, 3, 0]);
    const { matrix, condition, samples } = await noiseCovariance({ data, shape: [2, 2] });
    // |1 + i|^2 + |2|^2 = 6; (1 + i) conj(i) + 2 * 3 = 7 - i; |i|^2 + |3|^2 = 10
    expect([...matrix].map((value) => value + 0)).toEqual([3, 0, 3.5, -0.5, 3.5, 0.5, 5, 0]);
    const [mean, root] = [4, Math.sqrt(1 + 3.5 ** 2 + 0.5 ** 2)];
    expect(condition).toBeCloseTo((mean + root) / (mean - root), 8);
    expect(samples).toBe(2);
  });

  test('finds the covariance that noise was drawn with, scaled to the bandwidth of the scan', async () => {
    const samples = coupledNoise([20_000], 1);
    const { matrix, warnings } = await noiseCovariance(samples, { bandwidthRatio: 0.25 });
    const wanted = COVARIANCE.map((row) => row.map((value) => 0.5 * value));
    expectCovariance(matrix, wanted, 20_000);
    expect(warnings).toEqual([]);
  });

  test('is bit-equal for any number of threads', async () => {
    const samples = coupledNoise([50_000], 2);
    const [one, three] = await Promise.all([1, 3].map((threads) => noiseCovariance(samples, { threads })));
    expect([...three.matrix]).toEqual([...one.matrix]);
  });

  test('warns of few samples', async () => {
    const { warnings } = await noiseCovariance(coupledNoise([12], 3));
    expect(warnings).toEqual([expect.stringContaining('12 samples')]);
  });

  test.each<[string, () => ComplexArray, string]>([
    ['fewer samples than coils', () => noise([4, 3], 1), 'ERR_NOISE'],
    ['a coil of zeros', () => ({ data: noise([2, 50], 1).data.fill(0, 100), shape: [2, 50] }), 'ERR_NOISE'],
    ['a coil that repeats another', () => repeated(), 'ERR_NOISE'],
    ['NaN', () => ({ data: noise([2, 50], 1).data.fill(Number.NaN, 7, 8), shape: [2, 50] }), 'ERR_NOT_FINITE'],
    ['k-space', () => noise([2, 5, 5], 1), 'ERR_SHAPE'],
    ['no samples', () => ({ data: new Float32Array(), shape: [2, 0] }), 'ERR_SHAPE'],
  ])('refuses %s', async (_, samples, code) => {
    await expect(noiseCovariance(samples())).rejects.toMatchObject({ code });
  });

  test('refuses a bandwidth ratio that is not positive', async () => {
    for (const bandwidthRatio of [0, -1, Number.NaN])
      await expect(noiseCovariance(noise([1, 50], 1), { bandwidthRatio })).rejects.toMatchObject({
        code: 'ERR_ARGUMENT',
      });
  });
});

function repeated(): ComplexArray {
  const { data } = noise([2, 50], 1);
  data.set(
    data.subarray(0, 100).map((value) => 0.3 * value),
    100,
  );
  return { data, shape: [2, 50] };
}

describe('whiten', () => {
  test('makes noise white, at the harmonic mean of the variances', async () => {
    const kspace = coupledNoise([120, 100], 4);
    const flat = { data: kspace.data, shape: [3, 12_000] };
    const white = await whiten(kspace, await noiseCovariance(flat));
    const { matrix, condition } = await noiseCovariance({ data: white.data, shape: [3, 12_000] });
    const level = matrix[0];
    // The same samples that the covariance came from: white to the precision of float32.
    entries(matrix, 3).forEach((row, i) => {
      row.forEach((value, j) => {
        expect(Math.abs(value / level - (i === j ? 1 : 0))).toBeLessThan(1e-4);
      });
    });
    expect(condition).toBeLessThan(1.001);
  });

  test('keeps the brightness of signals spread evenly over unequal coils', async () => {
    const samples = noise([2, 10_000], 5);
    samples.data.subarray(20_000).forEach((value, i) => {
      samples.data[20_000 + i] = 3 * value;
    });
    const covariance = await noiseCovariance(samples);
    const [a, b] = [covariance.matrix[0], covariance.matrix[6]];
    const { data } = await whiteningMatrix(covariance);
    const squared = data.reduce((sum, value) => sum + value * value, 0);
    expect(squared).toBeCloseTo(2, 5);
    expect(data[0] ** 2).toBeCloseTo(2 / (1 + a / b), 2);
  });

  test('is bit-equal for any number of threads', async () => {
    const kspace = coupledNoise([64, 65], 6);
    const covariance = await noiseCovariance({ data: kspace.data, shape: [3, 64 * 65] });
    const [one, three] = await Promise.all([1, 3].map((threads) => whiten(kspace, covariance, { threads })));
    expect(sameBits(three.data, one.data)).toBe(true);
  });

  test('refuses the covariance of other coils, and one that is not positive definite', async () => {
    const covariance = await noiseCovariance(coupledNoise([100], 7));
    await expect(whiten(noise([2, 4, 4], 1), covariance)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    const singular = { ...covariance, matrix: new Float64Array(18) };
    await expect(whiten(noise([3, 4, 4], 1), singular)).rejects.toMatchObject({ code: 'ERR_NOISE' });
  });
});

describe('noiseFromBackground', () => {
  const [ny, nx] = [96, 84];

  /** An object in the middle of the image, as k-space of noisy coils. */
  async function scanOf(extent: number): Promise<ComplexArray> {
    const image = complexZeros([3, ny, nx]);
    for (let coil = 0; coil < 3; coil += 1)
      for (let y = 0; y < ny; y += 1)
        for (let x = 0; x < nx; x += 1)
          if (Math.hypot((y - ny / 2) / (ny / 2), (x - nx / 2) / (nx / 2)) < extent)
            image.data[2 * ((coil * ny + y) * nx + x)] = 100 * Math.cos(0.05 * x + 0.03 * y + coil);
    const kspace = await fft2(image);
    const added = coupledNoise([ny, nx], 8);
    kspace.data.forEach((value, i) => {
      kspace.data[i] = value + added.data[i];
    });
    return kspace;
  }

  test.each([0.7, 1])(
    'finds it at the edges of the image beside an object of %f of the field of view',
    async (extent) => {
      const { matrix, samples, warnings } = await noiseFromBackground(await scanOf(extent));
      expect(samples).toBeGreaterThan(400);
      expectCovariance(
        matrix,
        COVARIANCE.map((row) => row.map((value) => 2 * value)),
        samples,
      );
      expect(warnings).toEqual([]);
    },
  );

  test('finds it at the ends of the readouts where k-space is undersampled', async () => {
    const mask = columnsWhere(nx, (x) => x % 3 === 0 || Math.abs(x - nx / 2) < 6);
    const kspace = await scanOf(0.7);
    const white = noise([3, ny, nx], 9);
    // Signal decays towards the ends of the readout: here it has gone.
    kspace.data.forEach((_, i) => {
      const y = Math.floor(i / (2 * nx)) % ny;
      if (!mask.data[(i >> 1) % nx]) kspace.data[i] = 0;
      else if (y < ny / 8 || y >= (7 * ny) / 8) kspace.data[i] = white.data[i];
    });
    const { matrix, samples } = await noiseFromBackground(kspace, { mask });
    expectCovariance(
      matrix,
      [
        [2, 0, 0],
        [0, 2, 0],
        [0, 0, 2],
      ],
      samples / 2, // the weakest blocks are taken: a little too weak
    );
  });

  test('counts zeros in k-space for what they are', async () => {
    const kspace = await scanOf(0.7);
    kspace.data.forEach((_, i) => {
      const x = (i >> 1) % nx;
      if (x < nx / 4 || x >= (3 * nx) / 4) kspace.data[i] = 0;
    });
    const { matrix, samples } = await noiseFromBackground(kspace);
    expectCovariance(
      matrix,
      COVARIANCE.map((row) => row.map((value) => 2 * value)),
      samples / 2, // half the samples of the image are independent
    );
  });

  test('says so where there is no background', async () => {
    const { warnings } = await noiseFromBackground(await scanOf(2));
    expect(warnings).toEqual([expect.stringContaining('hold signal')]);
  });

  test('refuses k-space of zeros', async () => {
    await expect(noiseFromBackground(complexZeros([2, 32, 32]))).rejects.toMatchObject({ code: 'ERR_NOISE' });
  });
});

describeShared('noiseFromBackground on real scans', () => {
  test.each(['brain_gre_t2star_16ch', 'phantom_gre_16ch', 'phantom_gre_1ch_7t'])(
    'agrees with the ends of the readouts: %s',
    async (name) => {
      await using scan = await openScan(shared(`data/${name}.h5`));
      const kspace = await scan.readKspace(0);
      const edges = await noiseFromBackground(kspace);
      const [coils, , nx] = kspace.shape;
      const mask = columnsWhere(nx, (x) => x > 0);
      const ends = await noiseFromBackground(kspace, { mask });
      const power = ({ matrix }: { matrix: Float64Array }): number =>
        Array.from({ length: coils }, (_, c) => matrix[2 * c * (coils + 1)]).reduce((sum, value) => sum + value, 0);
      // Two independent parts of the data, each the noise to a few per cent; at the ends of the readouts traces of signal remain.
      expect(power(ends) / power(edges)).toBeGreaterThan(0.85);
      expect(power(ends) / power(edges)).toBeLessThan(1.3);
      expect(edges.warnings).toEqual([]);
    },
  );
});
