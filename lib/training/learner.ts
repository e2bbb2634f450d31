// What follows the gradients of a step: their mean over several batches, a limit on their norm, Adam, and a running average of weights.
import { LarmorError } from '../errors.js';
import type { TensorStore } from '../runtime/memory.js';
import { type Adam, diverged, type TrainingState } from './adam.js';
import { withWeights } from './with-weights.js';

/** How gradients become a step. */
export interface LearnerOptions {
  /** Batches whose mean gradient makes a step. Default 1. */
  readonly accumulate?: number | undefined;
  /** Largest norm of the gradient, over all parameters; a longer one is shortened to it. Default: none. */
  readonly clip?: number | undefined;
  /**
   * Decay per step of a running average of the weights; it starts shorter, at (1 + t)/(10 + t) after t steps, so as not to remember the
   * first weights. Default: no average.
   */
  readonly average?: number | undefined;
}

/** Everything that a learner changes, copied. */
export interface LearnerState extends TrainingState {
  /** The running average of the weights, where there is one. */
  readonly average?: Float32Array | undefined;
}

/** Turns the gradients in an `Adam` into steps. */
export class Learner {
  readonly adam: Adam;
  /** Running average of the weights. */
  readonly average: TensorStore | undefined;
  readonly #options: LearnerOptions;
  readonly #sum: TensorStore | undefined;

  private constructor(adam: Adam, options: LearnerOptions) {
    const { accumulate = 1, average } = options;
    const store = (): TensorStore => adam.memory.store(adam.weights.layout);
    this.adam = adam;
    this.average = average === undefined ? undefined : store();
    this.#options = options;
    this.#sum = accumulate > 1 ? store() : undefined;
  }

  /** A learner whose average starts at the present weights. @throws LarmorError `ERR_ARGUMENT` for an option outside its range. */
  static async create(adam: Adam, options: LearnerOptions): Promise<Learner> {
    const { accumulate = 1, clip, average } = options;
    if (!Number.isSafeInteger(accumulate) || accumulate < 1) fail('accumulate', 'a positive integer', accumulate);
    if (clip !== undefined && !(clip > 0)) fail('clip', 'positive', clip);
    if (average !== undefined && !(average > 0 && average < 1)) fail('average', 'between 0 and 1', average);
    const learner = new Learner(adam, options);
    if (learner.average) await adam.memory.copy(learner.average, adam.weights);
    return learner;
  }

  /** The weights to judge and to keep: the running average, or the weights themselves. */
  get judged(): TensorStore {
    return this.average ?? this.adam.weights;
  }

  /** Takes the gradients that the adam holds by now as those of the step's batch `batch`, the first being 0. */
  async collect(batch: number): Promise<void> {
    const { accumulate = 1 } = this.#options;
    const { memory, gradients } = this.adam;
    if (this.#sum) await memory.blend(batch === 0 ? 0 : 1, this.#sum, 1 / accumulate, gradients);
  }

  /**
   * One step from the gradients collected.
   *
   * @returns Norm of the gradient before it was shortened.
   * @throws LarmorError `ERR_DIVERGED` with the step's number, weights unchanged, when a gradient is not finite.
   */
  async update(learningRate: number): Promise<number> {
    const { adam } = this;
    const { memory, gradients } = adam;
    const { clip, average } = this.#options;
    if (this.#sum) await memory.copy(gradients, this.#sum);
    const length = await memory.norm(gradients);
    if (!Number.isFinite(length)) throw diverged(adam.steps + 1, 'a gradient is not finite');
    if (clip !== undefined && length > clip) await memory.blend(clip / length, gradients, 0, gradients);
    await adam.step(learningRate);
    if (this.average && average !== undefined) {
      const decay = Math.min(average, (1 + adam.steps) / (10 + adam.steps));
      await memory.approach(1 - decay, this.average, adam.weights);
    }
    return length;
  }

  /** Runs `work` with the judged weights in place of those in training, which come back whatever happens. */
  async withJudged<T>(work: () => Promise<T>): Promise<T> {
    const { memory, weights } = this.adam;
    return this.average ? withWeights(memory, weights, this.average, work) : work();
  }

  /** A copy of weights, optimiser and average. */
  async snapshot(): Promise<LearnerState> {
    return { ...(await this.adam.snapshot()), average: await this.average?.read() };
  }

  /** Goes back to a snapshot of a learner of the same network and options. @throws LarmorError `ERR_SHAPE` for another's. */
  restore({ average, ...state }: LearnerState): void {
    if ((average === undefined) !== (this.average === undefined))
      throw new LarmorError(
        'ERR_SHAPE',
        'Learner: the state to restore must have an average exactly where this learner has',
      );
    this.adam.restore(state);
    if (average) this.average?.set(average);
  }
}

function fail(name: string, want: string, got: number): never {
  throw new LarmorError('ERR_ARGUMENT', `training: ${name} must be ${want}, got ${got}`);
}
