// How much noise SENSE adds: the geometry factor of uniform undersampling, in closed form.
import { type ComplexArray, expectComplex, formatShape, type RealArray, realZeros } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { expectMask, type SamplingMask } from '../sampling/mask.js';
import { applyCoilMatrices } from './coil-matrices.js';
import { expectCovariance, type NoiseCovariance, whiteningMatrix } from './noise.js';

/** Uniform undersampling: every R-th column; every Ry-th row and Rx-th column; or a mask that is one of these. */
export type UniformSampling = number | readonly [ry: number, rx: number] | SamplingMask;

/** What can be said about the coils. */
export interface GFactorOptions extends RunOptions {
  /** Of the coils' noise. Default: white, equal and uncoupled. */
  readonly covariance?: NoiseCovariance | undefined;
}

/**
 * The geometry factor g of SENSE without regularisation: at every pixel, noise grows by g sqrt(R) against full sampling.
 *
 * With R-fold uniform undersampling R pixels alias onto each other. With S [coil, aliased pixel] their maps and Psi the noise covariance,
 * g of pixel p is sqrt(((S^H Psi^-1 S)^-1)_pp (S^H Psi^-1 S)_pp), in double precision. Pixels at which all maps are zero do not alias.
 *
 * Shapes: maps [coil, y, x]; result [y, x], at least 1 inside the object, 0 where the maps are zero, infinite where the coils cannot tell
 * the aliased pixels apart.
 *
 * @throws LarmorError `ERR_SHAPE`; `ERR_ARGUMENT` for an acceleration that does not divide the image's side or exceeds the number of coils;
 * `ERR_MASK` for a mask that is not uniform, such as one with a calibration centre: use `pseudoReplica`; `ERR_NOT_FINITE`; `ERR_NOISE`.
 * @see Pruessmann et al., Magn Reson Med 1999;42:952-962.
 * @example const g = await senseGFactor(maps, 2, { covariance });
 */
export async function senseGFactor(
  maps: ComplexArray,
  sampling: UniformSampling,
  { covariance, ...run }: GFactorOptions = {},
): Promise<RealArray> {
  const who = 'senseGFactor';
  if (maps.shape.length !== 3 || maps.shape.includes(0))
    throw new LarmorError('ERR_SHAPE', `${who}: maps must have shape [coil,y,x], got ${formatShape(maps.shape)}`);
  expectComplex(who, 'maps', maps, maps.shape);
  const [coils, ny, nx] = maps.shape;
  const [ry, rx] = accelerations(who, sampling, ny, nx);
  for (const [name, acceleration, side] of [
    ['ry', ry, ny],
    ['rx', rx, nx],
  ] as const)
    if (!(Number.isInteger(acceleration) && acceleration >= 1 && side % acceleration === 0))
      throw new LarmorError('ERR_ARGUMENT', `${who}: ${name} must be a divisor of ${side}, got ${acceleration}`);
  if (ry * rx > coils)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `${who}: the acceleration must be at most ${coils}, the number of coils, got ${ry * rx}: the problem has no solution`,
    );
  if (covariance) expectCovariance(who, covariance, coils);
  const white = covariance ? await applyCoilMatrices(maps, await whiteningMatrix(covariance, run), run) : maps;
  const g = realZeros([ny, nx]);
  const threads = threadCount(run);
  await runJob(1, run, (control) => binding.senseGFactor(control, coils, ny, nx, ry, rx, white.data, g.data, threads));
  return g;
}

function accelerations(who: string, sampling: UniformSampling, ny: number, nx: number): readonly [number, number] {
  if (typeof sampling === 'number') return [1, sampling];
  if (!('data' in sampling)) return sampling;
  expectMask(who, sampling, ny, nx);
  const lines = sampling.shape.length === 1;
  const sampled = (y: number, x: number): boolean => sampling.data[lines ? x : y * nx + x] === 1;
  const first = sampling.data.indexOf(1);
  const [y0, x0] = lines ? [0, first] : [Math.floor(first / nx), first % nx];
  const rx = spacing(nx, (x) => sampled(y0, x));
  const ry = spacing(ny, (y) => sampled(y, x0));
  for (let y = 0; y < (lines ? 1 : ny); y += 1)
    for (let x = 0; x < nx; x += 1)
      if (sampled(y, x) !== (y % ry === y0 % ry && x % rx === x0 % rx))
        throw new LarmorError(
          'ERR_MASK',
          `${who}: the mask must be uniform without a denser centre; use pseudoReplica for others`,
        );
  return [ry, rx];
}

/** Distance between the first two positions that are sampled; `length` for one alone. */
function spacing(length: number, sampled: (position: number) => boolean): number {
  const positions = Array.from({ length }, (_, i) => i).filter(sampled);
  return positions.length > 1 ? positions[1] - positions[0] : length;
}
