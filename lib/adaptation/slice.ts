// Test-time training of a network on one slice's own undersampled k-space.
import type { ComplexArray } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { Model } from '../networks/model.js';
import type { Placement } from '../networks/open-memory.js';
import { ParameterStore } from '../networks/parameters.js';
import { isComplete } from '../sampling/mask.js';
import type { TrainingState } from '../training/adam.js';
import type { Evaluation, Losses, TrainingSession } from '../training/session.js';
import { withWeights } from '../training/with-weights.js';
import { JudgedWeights } from './judged-weights.js';
import { type LoopOptions, runAdaptation } from './loop.js';
import { type AdaptationSettings, learningRateAt } from './options.js';
import { type AdaptationOutcome, type JudgedLosses, notAdapted } from './outcome.js';
import { type AdaptationSlice, prepareSlice } from './prepare.js';
import { adaptationSession, needed, stepData, type TrainedModel, trainedModel } from './trained-model.js';
import type { MeasuredSlice, SessionData } from './viewpoint.js';

/** What adaptation made of a slice. */
export interface AdaptedSlice {
  /** The network's output with the weights kept: [y, x], or [coil, y, x] of networks that give coil images; in the units of k-space. */
  readonly image: ComplexArray;
  /** The network's output before adaptation. */
  readonly unadapted: ComplexArray;
  readonly outcome: AdaptationOutcome;
}

/** What can be asked of one adaptation. */
export interface AdaptOptions extends LoopOptions {
  /** Shows the image that the weights give after every so many iterations, whatever is kept in the end. Takes a prediction each. */
  readonly watch?:
    | { readonly every: number; readonly show: (iteration: number, image: ComplexArray) => void | Promise<void> }
    | undefined;
}

/**
 * Adapts a model to one slice after another. The training graph is built once and serves every slice of its size; each slice
 * starts from the model again, or from other weights when these explain its held-out samples better.
 *
 * Not for concurrent calls: use one adapter per slice at work. Memory: up to twelve times the weights (optimiser 4, copies to judge and keep 5,
 * state of the previous slice 3), one slice, its activations.
 */
export class SliceAdapter implements AsyncDisposable {
  readonly #model: TrainedModel;
  readonly #settings: AdaptationSettings;
  readonly #placement: Placement;
  /** From a joint adaptation of the volume, if there was one. */
  readonly #joint: TrainingState | undefined;
  #session: { readonly key: string; readonly training: TrainingSession } | undefined;
  #previous: TrainingState | undefined;

  constructor(
    model: Model,
    settings: AdaptationSettings,
    { joint, ...placement }: Placement & { joint?: TrainingState | undefined } = {},
  ) {
    this.#model = trainedModel(model, settings);
    this.#settings = settings;
    this.#placement = placement;
    this.#joint = joint;
  }

  /**
   * Trains on, on this slice, until its held-out samples say stop.
   *
   * A slice whose every sample was measured is left to the model: there is nothing to reconstruct, so nothing to learn but its noise.
   * Deterministic for a given seed and number of threads.
   *
   * @throws what `prepareSlice` throws; LarmorError `ERR_DIVERGED` when the model gives no finite loss on this slice;
   *   `ERR_RUNTIME_MISSING`, `ERR_OUT_OF_MEMORY`; signal.reason when aborted.
   * @see Darestani, Liu, Heckel, Test-time training can close the natural distribution shift performance gap, ICML 2022.
   */
  async adapt(slice: MeasuredSlice, options: AdaptOptions = {}): Promise<AdaptedSlice> {
    const { signal, watch } = options;
    const run = { signal, threads: this.#placement.threads };
    const prepared = await prepareSlice(slice, this.#model, this.#settings, run);
    const session = await this.#sessionFor(prepared, signal);
    session.set(needed(prepared.data, session));
    let shown: SessionData | undefined;
    const show = (view: SessionData): void => {
      if (view !== shown) session.set(needed(view, session));
      shown = view;
    };
    const image = async (): Promise<ComplexArray> => {
      show(prepared.whole);
      return prepared.image(await session.predict({ signal }));
    };
    const judge = (): Promise<Evaluation> => {
      show(prepared.judged);
      return session.evaluate({ signal });
    };
    const evaluate = async (): Promise<JudgedLosses> => judgedLosses(await judge());

    session.load(this.#model.weights);
    const begun = performance.now();
    const unadapted = await image();
    if (isComplete(slice.mask)) {
      this.#previous = await session.snapshot();
      const outcome = notAdapted(await evaluate(), (performance.now() - begun) / 1000);
      return { image: unadapted, unadapted, outcome };
    }
    const warm = await this.#bestStart(session, evaluate);
    const { average } = this.#settings;
    const stepsJudge = prepared.draw === undefined && !average;
    using judged = await JudgedWeights.of(session.adam, { average });
    let made = 0;
    let watched = 0;
    const showIfDue = async (): Promise<void> => {
      if (!watch || made === watched || made % watch.every !== 0) return;
      watched = made;
      await watch.show(made, await judged.during(image));
    };
    const outcome = await runAdaptation(
      {
        step: async () => {
          await showIfDue();
          show((await prepared.draw?.(made, run)) ?? prepared.judged);
          session.set(stepData(prepared, session, made));
          made += 1;
          const losses = await session.step({ learningRate: learningRateAt(this.#settings, session.steps), signal });
          await judged.follow(made);
          return stepsJudge ? judgedLosses(losses) : { loss: losses.loss };
        },
        evaluate: async () => {
          await showIfDue();
          return judged.during(evaluate);
        },
        misfits: async (state) =>
          prepared.misfits((await withWeights(session.adam.memory, session.adam.weights, state, judge)).output, run),
        stepsJudge,
        save: () => judged.save(),
        restore: (state: Float32Array) => session.adam.weights.set(state),
      },
      this.#settings,
      options,
    );
    this.#previous = await session.snapshot();
    return { image: await image(), unadapted, outcome: warm === undefined ? outcome : warmOutcome(outcome, warm) };
  }

  /** The weights that made the image of the last slice, for the network of the given model; a copy. Undefined before any. */
  async weights(): Promise<ParameterStore | undefined> {
    const { network, merge } = this.#model;
    return this.#previous && merge(ParameterStore.fromFlat(network.parameters, this.#previous.weights));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session?.training.close();
    this.#session = undefined;
  }

  async #sessionFor({ sizes, maskKinds }: AdaptationSlice, signal: AbortSignal | undefined): Promise<TrainingSession> {
    const key = `${sizes}:${Object.values(maskKinds)}`;
    if (this.#session?.key !== key) {
      await this[Symbol.asyncDispose]();
      const training = await adaptationSession(this.#model, sizes, maskKinds, this.#placement, signal);
      this.#session = { key, training };
    }
    return this.#session.training;
  }

  /**
   * Leaves in the session whichever state of training explains the held-out samples best: the model's weights and a fresh optimiser, the
   * volume's state or the previous slice's. Returns the model's own held-out loss when others won.
   */
  async #bestStart(session: TrainingSession, evaluate: () => Promise<JudgedLosses>): Promise<number | undefined> {
    const previous = this.#settings.start === 'previous-slice' ? this.#previous : undefined;
    const others = [this.#joint, previous].filter((state) => state !== undefined);
    if (others.length === 0) return undefined;
    const modelLoss = (await evaluate()).heldOutLoss;
    let best = { loss: modelLoss, state: await session.snapshot() };
    for (const state of others) {
      session.restore(state);
      const loss = (await evaluate()).heldOutLoss;
      if (loss < best.loss) best = { loss, state };
    }
    session.restore(best.state);
    return best.loss < modelLoss ? modelLoss : undefined;
  }
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
