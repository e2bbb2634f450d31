// The weights that adaptation judges, keeps and shows: those in training, or their running average.
import { binding } from '../binding.js';
import type { ParameterStore } from '../networks/parameters.js';
import { approach, withWeights } from '../training/parameter-passes.js';

/** Step t counts with t to this power in the average, so that about its last third counts, however long training lasts. */
const POWER = 2;

/**
 * One scan's samples are few and noisy, and weights in training wander about what fits them. Their average fits as well and follows the
 * noise less.
 *
 * @see Shamir, Zhang, Stochastic Gradient Descent for Non-smooth Optimization, ICML 2013: polynomial-decay averaging.
 */
export class JudgedWeights {
  readonly #training: ParameterStore;
  readonly #average: ParameterStore | undefined;
  readonly #threads: number;

  /** @param training The weights in training, whose present values are judged until the first step. */
  constructor(
    training: ParameterStore,
    { average, threads = binding.platform().threads }: { average: boolean; threads?: number | undefined },
  ) {
    this.#training = training;
    this.#average = average ? training.clone() : undefined;
    this.#threads = threads;
  }

  /** Takes the weights in training up; `step` counts those made, from 1. */
  async follow(step: number): Promise<void> {
    if (this.#average) await approach((POWER + 1) / (step + POWER), this.#average, this.#training, this.#threads);
  }

  /** A copy. */
  save(): Float32Array {
    return (this.#average ?? this.#training).data.slice();
  }

  /** Runs `work` with the judged weights in place of those in training, which come back whatever happens. */
  during<T>(work: () => Promise<T>): Promise<T> {
    return this.#average ? withWeights(this.#training, this.#average.data, work) : work();
  }
}
