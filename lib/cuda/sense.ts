// CG-SENSE and data consistency on a CUDA device, many slices at once.
import { type ComplexArray, complexUninitialised, expectComplex } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { mapSizes } from '../operators/coils.js';
import type { EncodingOptions } from '../operators/encoding.js';
import { expectIterationOptions, expectWeight, type SolverResult } from '../solvers/conjugate-gradients.js';
import {
  type CgSenseOptions,
  cgSenseSettings,
  type DataConsistencyOptions,
  dataConsistencySettings,
  type SenseSettings,
} from '../solvers/sense.js';
import type { CudaContext } from './context.js';
import type { DeviceArray } from './device-array.js';
import { DeviceEncoding } from './encoding.js';

/** One slice: what was measured, and how. */
export interface SenseProblem extends EncodingOptions {
  /** [coil, ky, kx]. */
  readonly kspace: ComplexArray;
}

/**
 * `cgSense` of every problem, side by side on a device; the same images to 1e-5 of their norm.
 *
 * Everything is uploaded once and freed at the end, also on failure. An abort takes effect between the steps: uploads, solve, download.
 *
 * @param problems Of one size. @returns A result per problem, x [y, x] or [set, y, x] as `cgSense` gives it.
 * @throws LarmorError as `cgSense`; `ERR_OUT_OF_MEMORY` where the device has too little for the batch; `ERR_DEVICE`.
 * @example const [{ x }] = await deviceCgSense(cuda, [{ kspace, maps, mask }]);
 */
export function deviceCgSense(
  context: CudaContext,
  problems: readonly SenseProblem[],
  options: CgSenseOptions = {},
): Promise<SolverResult[]> {
  return solve('deviceCgSense', context, problems, undefined, cgSenseSettings(options));
}

/**
 * `dataConsistency` of every problem, side by side on a device.
 *
 * @param images One per problem, of the shape of its x. @throws LarmorError as `deviceCgSense`.
 */
export function deviceDataConsistency(
  context: CudaContext,
  images: readonly ComplexArray[],
  problems: readonly SenseProblem[],
  options: DataConsistencyOptions = {},
): Promise<SolverResult[]> {
  return solve('deviceDataConsistency', context, problems, images, dataConsistencySettings(options));
}

async function solve(
  who: string,
  context: CudaContext,
  problems: readonly SenseProblem[],
  priors: readonly ComplexArray[] | undefined,
  settings: SenseSettings,
): Promise<SolverResult[]> {
  const { lambda, maxIterations, tolerance } = settings;
  expectIterationOptions(who, maxIterations, tolerance);
  expectWeight(who, priors ? 'mu' : 'lambda', lambda);
  const shapes = problems.map(({ maps }) => mapSizes(who, maps));
  for (const [i, { image, coilImages }] of shapes.entries()) {
    expectComplex(who, 'kspace', problems[i].kspace, coilImages);
    if (priors) expectComplex(who, 'image', priors[i], image);
  }

  using A = await DeviceEncoding.upload(context, problems, settings);
  using b = await rightHandSide(A, problems, settings);
  using x = priors ? await A.uploadImages(priors, settings) : await context.allocate(A.imageShape, 'complex', settings);
  if (priors) await addScaled(lambda, x, b, settings);
  const outcomes = await A.solveNormal(b, x, { ...settings, fromZero: priors === undefined }, settings);
  const results: SolverResult[] = [];
  let offset = 0;
  for (const [i, { iterations, residual }] of outcomes.entries()) {
    expectFinite(who, residual);
    const image = complexUninitialised(shapes[i].image);
    await context.read(x, offset, image.data, settings);
    offset += image.data.length;
    results.push({ x: image, iterations, residual, stop: residual <= tolerance ? 'tolerance' : 'iterations' });
  }
  return results;
}

/** Aᴴ y, for which k-space is on the device only meanwhile. */
async function rightHandSide(
  A: DeviceEncoding,
  problems: readonly SenseProblem[],
  settings: SenseSettings,
): Promise<DeviceArray> {
  const samples = problems.map(({ kspace }) => kspace);
  using kspace = await A.uploadKspace(samples, settings);
  return await A.adjoint(kspace, settings);
}

/** to += factor values. */
async function addScaled(factor: number, values: DeviceArray, to: DeviceArray, settings: SenseSettings): Promise<void> {
  const [from, into] = [values, to].map((array) => array.memory('addScaled'));
  await to.context.run(settings, (control, context) => binding.cudaAddScaled(control, context, factor, from, into));
}

function expectFinite(who: string, residual: number): void {
  if (Number.isFinite(residual)) return;
  throw new LarmorError(
    'ERR_DIVERGED',
    `${who}: the iteration left the finite numbers; scale the data or raise lambda`,
  );
}
