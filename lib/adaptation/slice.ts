// Test-time training of a network on one slice's own undersampled k-space.
import type { ComplexArray } from '../arrays/complex-array.js';
import { fromPlanes } from '../arrays/planar.js';
import { LarmorError } from '../errors.js';
import type { Model } from '../networks/model.js';
import { LOSSES } from '../training/losses.js';
import { createTrainingSession, type Losses, type TrainingSession } from '../training/session.js';
import { type AdaptationOutcome, type JudgedLosses, type LoopOptions, runAdaptation } from './loop.js';
import { type AdaptationSettings, learningRateAt } from './options.js';
import { type MeasuredSlice, type PreparedSlice, prepareSlice, type SessionData } from './prepare.js';

/** What adaptation made of a slice. */
export interface AdaptedSlice {
  /** The network's output with the weights kept: [y, x], in the units of k-space. */
  readonly image: ComplexArray;
  /** The network's output before adaptation. */
  readonly unadapted: ComplexArray;
  readonly outcome: AdaptationOutcome;
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
    const run = { signal, threads: this.#threads };
    const prepared = await prepareSlice(slice, this.#model, this.#settings, run);
    const session = await this.#sessionFor(prepared, signal);
    session.set(needed(prepared.data, session));
    let shown: SessionData | undefined;
    const show = (view: SessionData): void => {
      if (view !== shown) session.set(needed(view, session));
      shown = view;
    };
    const [, height, width] = prepared.sizes;
    const image = async (): Promise<ComplexArray> => {
      show(prepared.whole);
      return fromPlanes(await session.predict({ signal }), [height, width], prepared.unit);
    };
    const evaluate = async (): Promise<JudgedLosses> => {
      show(prepared.judged);
      return judgedLosses(await session.evaluate({ signal }));
    };

    session.load(this.#model.weights);
    const unadapted = await image();
    const warm = await this.#bestStart(session, evaluate);
    const weights = session.weights.data;
    const outcome = await runAdaptation(
      {
        step: async () => {
          show((await prepared.draw?.(session.steps, run)) ?? prepared.judged);
          const losses = await session.step({ learningRate: learningRateAt(this.#settings, session.steps), signal });
          return prepared.draw ? { loss: losses.loss } : judgedLosses(losses);
        },
        evaluate,
        stepsJudge: prepared.draw === undefined,
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
  async #bestStart(session: TrainingSession, evaluate: () => Promise<JudgedLosses>): Promise<number | undefined> {
    const previous = this.#settings.start === 'previous-slice' ? this.#previous : undefined;
    const others = [this.#joint, previous].filter((weights) => weights !== undefined);
    if (others.length === 0) return undefined;
    const modelLoss = (await evaluate()).heldOutLoss;
    let best = { loss: modelLoss, weights: this.#model.weights.data };
    for (const weights of others) {
      session.weights.data.set(weights);
      const loss = (await evaluate()).heldOutLoss;
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
export function needed(data: SessionData, { inputs }: TrainingSession): SessionData {
  return Object.fromEntries(inputs.filter((name) => Object.hasOwn(data, name)).map((name) => [name, data[name]]));
}

function judgedLosses({ loss, heldOutLoss }: Losses): JudgedLosses {
  if (heldOutLoss === undefined)
    throw new LarmorError('ERR_INTERNAL', 'adaptation: the training session reports no held-out loss');
  return { loss, heldOutLoss };
}

/** An outcome told relative to the model, where the slice started from better weights than the model's. */
function warmOutcome(outcome: AdaptationOutcome, modelLoss: number): AdaptationOutcome {
  const verdict = outcome.verdict === 'not-needed' ? 'adapted' : outcome.verdict;
  return { ...outcome, verdict, validation: { ...outcome.validation, first: modelLoss } };
}
