// Test-time training of a network on one slice's own undersampled k-space.
import { type ComplexArray, formatShape } from '../arrays/complex-array.js';
import type { Seed } from '../arrays/mt19937.js';
import { fromPlanes, toPlanes } from '../arrays/planar.js';
import { scaled } from '../arrays/scaled.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import type { MaskKind, MeasurementShapes } from '../networks/graph-inputs.js';
import type { Model } from '../networks/model.js';
import { networkInput } from '../networks/network-input.js';
import { Mask, maskWeights } from '../operators/mask.js';
import type { SamplingMask } from '../sampling/mask.js';
import { splitMask } from '../sampling/splits.js';
import { LOSSES } from '../training/losses.js';
import { createTrainingSession, type Losses, type TrainingSession } from '../training/session.js';
import { type AdaptationOutcome, type LoopOptions, runAdaptation, type StepLosses } from './loop.js';
import { type AdaptationSettings, learningRateAt } from './options.js';

/** The measurement that a network adapts to. */
export interface MeasuredSlice {
  /** [coil, ky, kx], zero where the mask is. */
  readonly kspace: ComplexArray;
  /** [coil, y, x], or [1, coil, y, x]. */
  readonly maps: ComplexArray;
  readonly mask: SamplingMask;
  /** Draws the held-out samples. */
  readonly seed: Seed;
}

/** What adaptation made of a slice. */
export interface AdaptedSlice {
  /** The network's output with the weights kept: [y, x], in the units of k-space. */
  readonly image: ComplexArray;
  /** The network's output before adaptation. */
  readonly unadapted: ComplexArray;
  readonly outcome: AdaptationOutcome;
}

/** A slice in the layout and at the amplitude that the network was trained with. */
export interface PreparedSlice {
  /** [coils, height, width]. */
  readonly sizes: readonly [number, number, number];
  /** Multiplies images of the network to give data units. */
  readonly unit: number;
  /** What a `TrainingSession` takes, for a batch of one. */
  readonly data: Readonly<Record<string, Float32Array>>;
  readonly maskKinds: Required<Pick<MeasurementShapes, 'mask' | 'lossMask'>>;
}

const kindOf = ({ shape }: SamplingMask): MaskKind => (shape.length === 1 ? 'lines' : 'points');

/**
 * Splits, combines and scales a measurement.
 *
 * @throws LarmorError `ERR_SHAPE` when kspace and maps disagree or there are several sets of maps; `ERR_ARGUMENT` when the mask
 *   cannot be split as the settings ask; `ERR_MASK`; `ERR_NOT_FINITE`.
 */
export async function prepareSlice(
  { kspace, maps, mask, seed }: MeasuredSlice,
  model: Model,
  { heldOut: { kind, fraction, replacement, removeFromInput }, input }: Pick<AdaptationSettings, 'heldOut' | 'input'>,
  options: RunOptions = {},
): Promise<PreparedSlice> {
  const [coils, height, width] = kspace.shape;
  const mapShape = maps.shape.length === 4 && maps.shape[0] === 1 ? maps.shape.slice(1) : maps.shape;
  if (kspace.shape.length !== 3 || formatShape(mapShape) !== formatShape(kspace.shape))
    throw new LarmorError(
      'ERR_SHAPE',
      `adaptation: maps must be one set of the shape of kspace ${formatShape(kspace.shape)}, got ${formatShape(maps.shape)}`,
    );
  const oneSet: ComplexArray = { data: maps.data, shape: mapShape };
  const split = splitMask(mask, { kind, rows: height, columns: width, fraction, replacement, seed });
  const seen = removeFromInput ? split.train : mask;
  const seenKspace = removeFromInput ? await new Mask(seen, kspace.shape).apply(kspace, options) : kspace;
  const { image, scale } = await networkInput(seenKspace, oneSet, seen, input ?? model.input, options);
  const planes = new Float32Array(2 * height * width);
  toPlanes(image, planes, scale);
  const weights = (part: SamplingMask): Float32Array => maskWeights('adaptation', part, height, width);
  return {
    sizes: [coils, height, width],
    unit: 1 / scale,
    data: {
      image: planes,
      maps: maps.data,
      mask: weights(seen),
      lossMask: weights(split.train),
      heldOutMask: weights(split.heldOut),
      kspace: await scaled(kspace.data, scale),
    },
    maskKinds: { mask: kindOf(seen), lossMask: kindOf(split.train) },
  };
}

/**
 * Adapts a model to one slice after another. The training graph is built once and serves every slice of its size; each slice
 * starts from the model again, or from other weights when these explain its held-out samples better.
 *
 * Not for concurrent calls: use one adapter per slice at work. Memory: four times the weights, one slice, its activations.
 */
export class SliceAdapter implements AsyncDisposable {
  readonly #model: Model;
  readonly #settings: AdaptationSettings;
  readonly #threads: number | undefined;
  /** Weights from a joint adaptation of the volume, if there was one. */
  readonly #joint: Float32Array<ArrayBuffer> | undefined;
  #session: { readonly key: string; readonly training: TrainingSession } | undefined;
  #previous: Float32Array<ArrayBuffer> | undefined;

  constructor(
    model: Model,
    settings: AdaptationSettings,
    { threads, joint }: { threads?: number | undefined; joint?: Float32Array<ArrayBuffer> | undefined } = {},
  ) {
    this.#model = model;
    this.#settings = settings;
    this.#threads = threads;
    this.#joint = joint;
  }

  /**
   * Trains on, on this slice, until its held-out samples say stop.
   *
   * Deterministic for a given seed and number of threads.
   *
   * @throws what `prepareSlice` throws; LarmorError `ERR_DIVERGED` when the model gives no finite loss on this slice;
   *   `ERR_RUNTIME_MISSING`, `ERR_OUT_OF_MEMORY`; signal.reason when aborted.
   * @see Darestani, Liu, Heckel, Test-time training can close the natural distribution shift performance gap, ICML 2022.
   */
  async adapt(slice: MeasuredSlice, options: LoopOptions = {}): Promise<AdaptedSlice> {
    const { signal } = options;
    const prepared = await prepareSlice(slice, this.#model, this.#settings, { signal, threads: this.#threads });
    const session = await this.#sessionFor(prepared, signal);
    session.set(needed(prepared.data, session));
    const [, height, width] = prepared.sizes;
    const image = async (): Promise<ComplexArray> =>
      fromPlanes(await session.predict({ signal }), [height, width], prepared.unit);

    session.load(this.#model.weights);
    const unadapted = await image();
    const warm = await this.#bestStart(session, signal);
    const weights = session.weights.data;
    const outcome = await runAdaptation(
      {
        step: async () => {
          const learningRate = learningRateAt(this.#settings, session.steps);
          return heldOutLosses(await session.step({ learningRate, signal }));
        },
        evaluate: async () => heldOutLosses(await session.evaluate({ signal })),
        save: () => weights.slice(),
        restore: (saved: Float32Array) => weights.set(saved),
      },
      this.#settings,
      options,
    );
    this.#previous = weights.slice();
    return { image: await image(), unadapted, outcome: warm === undefined ? outcome : warmOutcome(outcome, warm) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session?.training.close();
    this.#session = undefined;
  }

  async #sessionFor({ sizes, maskKinds }: PreparedSlice, signal: AbortSignal | undefined): Promise<TrainingSession> {
    const key = `${sizes}:${Object.values(maskKinds)}`;
    if (this.#session?.key !== key) {
      await this[Symbol.asyncDispose]();
      const training = await adaptationSession(this.#model, this.#settings, 1, sizes, maskKinds, this.#threads, signal);
      this.#session = { key, training };
    }
    return this.#session.training;
  }

  /**
   * Leaves in the session whichever starting weights explain the held-out samples best: the model's, the volume's or the
   * previous slice's. Returns the model's own held-out loss when others won.
   */
  async #bestStart(session: TrainingSession, signal: AbortSignal | undefined): Promise<number | undefined> {
    const previous = this.#settings.start === 'previous-slice' ? this.#previous : undefined;
    const others = [this.#joint, previous].filter((weights) => weights !== undefined);
    if (others.length === 0) return undefined;
    const modelLoss = heldOutLosses(await session.evaluate({ signal })).heldOutLoss;
    let best = { loss: modelLoss, weights: this.#model.weights.data };
    for (const weights of others) {
      session.weights.data.set(weights);
      const loss = heldOutLosses(await session.evaluate({ signal })).heldOutLoss;
      if (loss < best.loss) best = { loss, weights };
    }
    session.weights.data.set(best.weights);
    return best.weights === this.#model.weights.data ? undefined : modelLoss;
  }
}

/** A training session with the self-supervised loss alone. */
export function adaptationSession(
  model: Model,
  { parameters }: Pick<AdaptationSettings, 'parameters'>,
  batch: number,
  [coils, height, width]: PreparedSlice['sizes'],
  maskKinds: PreparedSlice['maskKinds'],
  threads: number | undefined,
  signal: AbortSignal | undefined,
): Promise<TrainingSession> {
  return createTrainingSession({
    network: model.network,
    weights: model.weights,
    loss: LOSSES.self,
    shapes: { batch, coils, height, width, ...maskKinds },
    trainable: parameters,
    threads,
    signal,
  });
}

/** The part of a slice's data that a session takes. */
export function needed(data: PreparedSlice['data'], { inputs }: TrainingSession): PreparedSlice['data'] {
  return Object.fromEntries(inputs.map((name) => [name, data[name]]));
}

function heldOutLosses({ loss, heldOutLoss }: Losses): StepLosses {
  if (heldOutLoss === undefined)
    throw new LarmorError('ERR_INTERNAL', 'adaptation: the training session reports no held-out loss');
  return { loss, heldOutLoss };
}

/** An outcome told relative to the model, where the slice started from better weights than the model's. */
function warmOutcome(outcome: AdaptationOutcome, modelLoss: number): AdaptationOutcome {
  const verdict = outcome.verdict === 'not-needed' ? 'adapted' : outcome.verdict;
  return { ...outcome, verdict, validation: { ...outcome.validation, first: modelLoss } };
}
