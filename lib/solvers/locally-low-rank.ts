// Reconstruction of several images at once, alike in every small block; each solve one job off the event loop.
import {
  type ComplexArray,
  complexUninitialised,
  complexZeros,
  expectComplex,
  formatShape,
  points,
  type Shape,
  sameShape,
} from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { mapSizes } from '../operators/coils.js';
import { maskWeights } from '../operators/mask.js';
import type { SamplingMask } from '../sampling/mask.js';
import { dataScale } from './data-scale.js';
import {
  type PenaltyOptions,
  penaltySettings,
  type RegularisedResult,
  regularisedResult,
} from './proximal-gradient.js';

/** How the images of `locallyLowRank` were measured. */
export interface LowRankModel {
  /**
   * Coil sensitivities [coil, y, x] or [set, coil, y, x], the same for all frames, or [frame, set, coil, y, x]. Without maps the frames are
   * the coil images themselves.
   */
  readonly maps?: ComplexArray | undefined;
  /** Sampled columns [kx] or points [ky, kx], the same for all frames, or one mask per frame. */
  readonly mask: SamplingMask | readonly SamplingMask[];
}

/** What can be chosen about `locallyLowRank`. */
export interface LocallyLowRankOptions extends PenaltyOptions {
  /** Weight of the nuclear norms, relative to the data scale. Default 0.001. */
  readonly lambda?: number | undefined;
  /** Side of the blocks in pixels. Default 8. */
  readonly blockSize?: number | undefined;
  /** Displace the grid of blocks at random in every iteration, so that no edges of one grid remain. Default true. */
  readonly randomGrid?: boolean | undefined;
}

/**
 * The images x that minimise 1/2 ||A x - kspace||^2 + lambda s sum over blocks of w ||x_block||_*: the nuclear norm of the matrix of a block's
 * pixels by images, for blocks that tile the image. w = sqrt(pixels) + sqrt(images) is the largest singular value white noise of unit
 * deviation is expected to have there, so that lambda s is the deviation of noise that would be removed, whatever the block; s is the data
 * scale (see `dataScale`), the largest over the frames.
 *
 * Frames of a series (contrasts, neighbouring slices, time): kspace [frame, coil, ky, kx] and maps give x [frame, y, x], or [frame, set, y, x]
 * for maps with a set axis. Coils without any calibration: kspace [coil, ky, kx] and no maps give the coil images x [coil, y, x].
 * In the units of kspace, of which samples outside the masks are ignored.
 *
 * @throws LarmorError `ERR_SHAPE`, `ERR_MASK`, `ERR_ARGUMENT`; `ERR_NOT_FINITE` when kspace or maps hold NaN or infinity; `ERR_DIVERGED`.
 *   `signal.reason` when aborted.
 * @see Trzasko and Manduca, Proc 45th Asilomar Conf 2011:1656-1660 (CLEAR, over coils); Zhang, Pauly and Levesque, Magn Reson Med
 *   2015;73:655-661 (over contrasts). Solved as in `fista`.
 * @example const { x } = await locallyLowRank(kspace, { mask }); // coil images, no maps needed
 */
export async function locallyLowRank(
  kspace: ComplexArray,
  model: LowRankModel,
  options: LocallyLowRankOptions = {},
): Promise<RegularisedResult> {
  const { lambda = 0.001, blockSize = 8, randomGrid = true } = options;
  const { frames, sets, coils, ny, nx, maps, image, frameShape } = sizes(kspace, model.maps);
  const masks = 'data' in model.mask ? [model.mask] : model.mask;
  const weights = stackedWeights(masks, frames, ny, nx);
  const { seed, maxIterations, tolerance, scale } = penaltySettings('locallyLowRank', { ...options, lambda });
  if (!Number.isSafeInteger(blockSize) || blockSize < 1)
    throw new LarmorError('ERR_ARGUMENT', `locallyLowRank: blockSize must be a positive integer, got ${blockSize}`);
  const threads = threadCount(options);
  const s = scale ?? (await largestScale(kspace, frameShape, masks, { signal: options.signal, threads }));
  const x = complexUninitialised(image);
  const outcome = await runJob(maxIterations, options, (control) =>
    binding.locallyLowRank(
      control,
      frames,
      sets,
      coils,
      ny,
      nx,
      maps.data,
      weights,
      kspace.data,
      x.data,
      threads,
      maxIterations,
      tolerance,
      lambda * s,
      randomGrid ? seed : undefined,
      blockSize,
      masks[0].shape.length === 1,
    ),
  );
  return regularisedResult(x, s, outcome);
}

interface Sizes {
  readonly frames: number;
  readonly sets: number;
  readonly coils: number;
  readonly ny: number;
  readonly nx: number;
  /** [set, coil, y, x], or one such per frame. */
  readonly maps: ComplexArray;
  /** Of the result. */
  readonly image: Shape;
  /** [coil, ky, kx] of what one data scale is taken from. */
  readonly frameShape: Shape;
}

function sizes(kspace: ComplexArray, maps: ComplexArray | undefined): Sizes {
  const { shape } = kspace;
  const rank = maps ? 4 : 3;
  if (shape.length !== rank || !shape.every((n) => Number.isSafeInteger(n) && n >= 1))
    throw new LarmorError(
      'ERR_SHAPE',
      `locallyLowRank: kspace must have shape ${maps ? '[frame,coil,ky,kx]' : '[coil,ky,kx] without maps'}, got ${formatShape(shape)}`,
    );
  expectComplex('locallyLowRank', 'kspace', kspace, shape);
  const [frames] = shape;
  const [ny, nx] = shape.slice(-2);
  if (!maps) {
    const unit = complexZeros([1, 1, ny, nx]);
    for (let i = 0; i < unit.data.length; i += 2) unit.data[i] = 1;
    return { frames, sets: 1, coils: 1, ny, nx, maps: unit, image: shape, frameShape: shape };
  }
  const coils = shape[1];
  const perFrame = maps.shape.length === 5;
  const mapFrames = perFrame ? maps.shape[0] : 1;
  // One frame after the other they look like further sets.
  const flat = perFrame ? [mapFrames * maps.shape[1], ...maps.shape.slice(2)] : maps.shape;
  const found = mapSizes('locallyLowRank', { data: maps.data, shape: flat });
  if (!sameShape(found.coilImages, [coils, ny, nx]) || (perFrame && mapFrames !== frames))
    throw new LarmorError(
      'ERR_SHAPE',
      `locallyLowRank: maps must have the frames, coils and sides of kspace ${formatShape(shape)}, got ${formatShape(maps.shape)}`,
    );
  const sets = found.sets / mapFrames;
  const image = maps.shape.length === 3 ? [frames, ny, nx] : [frames, sets, ny, nx];
  return { frames, sets, coils, ny, nx, maps, image, frameShape: shape.slice(1) };
}

function stackedWeights(masks: readonly SamplingMask[], frames: number, ny: number, nx: number): Float32Array {
  if (masks.length !== 1 && masks.length !== frames)
    throw new LarmorError('ERR_MASK', `locallyLowRank: mask must be one mask or ${frames}, got ${masks.length}`);
  if (masks.some(({ shape }) => shape.length !== masks[0].shape.length))
    throw new LarmorError('ERR_MASK', 'locallyLowRank: masks must be all of columns or all of points, got both kinds');
  const weights = masks.map((mask) => maskWeights('locallyLowRank', mask, ny, nx));
  const length = weights[0].length;
  const all = new Float32Array(masks.length * length);
  weights.forEach((one, i) => {
    all.set(one, i * length);
  });
  return all;
}

async function largestScale(
  kspace: ComplexArray,
  shape: Shape,
  masks: readonly SamplingMask[],
  options: RunOptions,
): Promise<number> {
  const length = 2 * points(shape);
  let largest = 0;
  for (let frame = 0; frame * length < kspace.data.length; frame += 1) {
    const data = kspace.data.subarray(frame * length, (frame + 1) * length);
    largest = Math.max(largest, await dataScale({ data, shape }, masks[frame] ?? masks[0], options));
  }
  return largest;
}
