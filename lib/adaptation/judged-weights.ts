// The weights that adaptation judges, keeps and shows: those in training, or their running average.
import type { TensorStore } from '../runtime/memory.js';
import type { Adam } from '../training/adam.js';
import { withWeights } from '../training/with-weights.js';

/** Step t counts with t to this power in the average, so that about its last third counts, however long training lasts. */
const POWER = 2;

/**
 * One scan's samples are few and noisy, and weights in training wander about what fits them. Their average fits as well and follows the
 * noise less.
 *
 * @see Shamir, Zhang, Stochastic Gradient Descent for Non-smooth Optimization, ICML 2013: polynomial-decay averaging.
 */
export class JudgedWeights {
  readonly #training: TrainingWeights;
  readonly #average: TensorStore | undefined;

  private constructor(training: TrainingWeights, average: TensorStore | undefined) {
    this.#training = training;
    this.#average = average;
  }

  /** @param training Holds the weights in training, whose present values are judged until the first step. */
  static async of(training: TrainingWeights, { average }: { average: boolean }): Promise<JudgedWeights> {
    const { memory, weights } = training;
    if (!average) return new JudgedWeights(training, undefined);
    const store = memory.store(weights.layout);
    await memory.copy(store, weights);
    return new JudgedWeights(training, store);
  }

  /** Takes the weights in training up; `step` counts those made, from 1. */
  async follow(step: number): Promise<void> {
    const { memory, weights } = this.#training;
    if (this.#average) await memory.approach((POWER + 1) / (step + POWER), this.#average, weights);
  }

  /** A copy. */
  save(): Promise<Float32Array> {
    return (this.#average ?? this.#training.weights).read();
  }

  /** Runs `work` with the judged weights in place of those in training, which come back whatever happens. */
  during<T>(work: () => Promise<T>): Promise<T> {
    const { memory, weights } = this.#training;
    return this.#average ? withWeights(memory, weights, this.#average, work) : work();
  }

  [Symbol.dispose](): void {
    this.#average?.free();
  }
}

type TrainingWeights = Pick<Adam, 'memory' | 'weights'>;
