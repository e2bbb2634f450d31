// The same filled, whitened and compressed k-space at every instruction set this processor has.
import { test } from 'vitest';
import { expectSameAtEveryIsa } from '../support/isa.js';

/** Weights solved in double and used in float32: rounding of sums of up to 125 products; iterations end at a residual of 1e-6. */
const TOLERANCE = 1e-5;

const program = `
  import { MT19937 } from '#larmor/arrays/mt19937.js';
  import { compressCoils, geometricCompression, svdCompression } from '#larmor/calibration/coil-compression.js';
  import { grappa } from '#larmor/calibration/grappa.js';
  import { noiseCovariance, whiten } from '#larmor/calibration/noise.js';
  import { spirit } from '#larmor/calibration/spirit.js';
  const random = new MT19937(5);
  const shape = [5, 37, 41];
  const noise = new Float32Array(2 * 5 * 37 * 41).map(() => random.normal());
  const central = (i, n) => Math.abs(i - n / 2 + 0.5) < 8;
  const lines = Uint8Array.from({ length: 41 }, (_, x) => (x % 3 === 0 || central(x, 41) ? 1 : 0));
  const points = Uint8Array.from({ length: 37 * 41 }, (_, i) =>
    (random.uniform() < 0.4 || (central(i % 41, 41) && central(Math.floor(i / 41), 37)) ? 1 : 0));
  const results = [];
  for (const mask of [{ data: lines, shape: [41] }, { data: points, shape: [37, 41] }])
    {
    results.push((await grappa({ data: noise, shape }, { mask })).kspace.data);
    const options = { mask, regularisation: 0.1, tolerance: 1e-6, maxIterations: 500 };
    results.push((await spirit({ data: noise, shape }, options)).kspace.data);
  }
  const kspace = { data: noise, shape };
  results.push((await whiten(kspace, await noiseCovariance({ data: noise, shape: [5, 37 * 41] }))).data);
  for (const compress of [svdCompression, geometricCompression])
    results.push((await compressCoils(kspace, await compress(kspace, { coils: 3 }))).data);
`;

test('agree within rounding', async () => {
  await expectSameAtEveryIsa(program, TOLERANCE);
});
