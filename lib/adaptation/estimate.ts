// How long adaptation will take, known before it begins.
import { type ComplexArray, complexZeros } from '../arrays/complex-array.js';
import { MT19937 } from '../arrays/mt19937.js';
import type { MaskKind } from '../networks/graph-inputs.js';
import type { Model } from '../networks/model.js';
import type { SamplingMask } from '../sampling/mask.js';
import { type AdaptationOptions, adaptationSettings } from './options.js';
import { SliceAdapter } from './slice.js';

/** What is to be adapted to. */
export interface AdaptationWork {
  readonly coils: number;
  readonly height: number;
  readonly width: number;
  /** Default: 1. */
  readonly slices?: number | undefined;
  /** What was sampled: whole columns, or points. Default: lines. */
  readonly mask?: MaskKind | undefined;
  readonly adapt?: AdaptationOptions | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Seconds. */
export interface TimeEstimate {
  /** A training step with its share of evaluations. */
  readonly perStep: number;
  /** What a slice takes beside its steps: preparation, images and evaluations before and after. The first slice also loads the graph. */
  readonly perSliceBeside: number;
  /** All slices one after another, at most: every iteration made, or the time budget used up. */
  readonly total: number;
}

/** Steps of the measurement: one that prepares, and two that count. */
const STEPS = 3;
const SEED = 1;

/**
 * Makes three steps on noise of the size asked for and extrapolates: a step takes as long on any data. Runs that stop by their rule take
 * less than the estimate; so do slices adapted in parallel.
 *
 * @throws LarmorError `ERR_ARGUMENT`, `ERR_SHAPE`; `ERR_RUNTIME_MISSING`, `ERR_OUT_OF_MEMORY`; signal.reason when aborted.
 * @example (await estimateAdaptation(model, { coils: 15, height: 640, width: 368, slices: 30 })).total;
 */
export async function estimateAdaptation(model: Model, work: AdaptationWork): Promise<TimeEstimate> {
  const { adapt = {}, threads, signal, slices = 1 } = work;
  const wanted = adaptationSettings(adapt, model.network);
  const settings = adaptationSettings({ ...adapt, maxIterations: STEPS, timeBudget: undefined }, model.network);
  await using adapter = new SliceAdapter(model, settings, { threads });
  const started = performance.now();
  const { outcome } = await adapter.adapt(noise(work), { signal });
  const perStep = outcome.secondsPerStep;
  const perSliceBeside = Math.max(0, (performance.now() - started) / 1000 - outcome.iterations * perStep);
  const steps = Math.min(wanted.maxIterations * perStep, wanted.timeBudget ?? Number.POSITIVE_INFINITY);
  return { perStep, perSliceBeside, total: wanted.volumeIterations * perStep + slices * (perSliceBeside + steps) };
}

/** A measurement of noise: every third column or point, and the middle. */
function noise({ coils, height, width, mask: kind = 'lines' }: AdaptationWork): {
  readonly kspace: ComplexArray;
  readonly maps: ComplexArray;
  readonly mask: SamplingMask;
  readonly seed: number;
} {
  const shape = [coils, height, width];
  const [kspace, maps] = [complexZeros(shape), complexZeros(shape)];
  const sampled = Uint8Array.from({ length: width }, (_, x) => (x % 3 === 0 || x === width >> 1 ? 1 : 0));
  const points = Uint8Array.from({ length: height * width }, (_, i) => sampled[i % width]);
  const random = new MT19937(SEED);
  for (let i = 0; i < coils * points.length; i += 1) {
    maps.data[2 * i] = 1 / Math.sqrt(coils);
    if (points[i % points.length] === 1) kspace.data.set([random.uniform() - 0.5, random.uniform() - 0.5], 2 * i);
  }
  const mask: SamplingMask =
    kind === 'lines' ? { data: sampled, shape: [width] } : { data: points, shape: [height, width] };
  return { kspace, maps, mask, seed: SEED };
}
